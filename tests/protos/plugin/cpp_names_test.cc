// What services and rpcs are called in C++, as the plugin writes it.
#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <vector>

#include "tests/protos/plugin/plugin_run.h"

namespace mainspring::plugin {
namespace {

// The generated header of a proto whose service Clock has these rpcs.
std::string HeaderOf(const std::string& rpcs, const std::string& more = "",
                     const std::string& options = "", const std::string& import = "") {
  const TemporaryDirectory root;
  WriteFile(root.path() / "other.proto", "syntax = \"proto3\"; package shop.v1;" + import);
  WriteFile(root.path() / "a.proto",
            "syntax = \"proto3\"; package shop.v1; import \"other.proto\";\n"
            "message A {}\nservice Clock {" +
                rpcs + "}\n" + more);
  const PluginRun run = RunPlugin(root.path(), "a.proto", options);
  EXPECT_EQ(run.exit_code, 0) << run.errors;
  return run.exit_code == 0 ? run.outputs.at("a.component.pb.h") : "";
}

bool Has(const std::string& text, const std::string& part) {
  const bool has = text.find(part) != std::string::npos;
  EXPECT_TRUE(has) << "no " << part << " in:\n" << text;
  return has;
}

void ExpectRpc(const std::string& header, const std::string& rpc, const std::string& function) {
  Has(header, "  struct " + function +
                  " {\n    static constexpr char kMethod[] = \"/shop.v1.Clock/" + rpc + "\";");
  Has(header, "virtual void " + function + "(::shop::v1::A request,");
  Has(header, "> " + function + "(::shop::v1::A request, ::mainspring::CallOptions");
}

TEST(RpcName, ThatIsFree_StaysAsItIs) {
  ExpectRpc(HeaderOf("rpc Register(A) returns (A);"), "Register", "Register");
}

// From the standard, [lex.key] and [lex.digraph], not from the plugin's own list.
constexpr char kKeywords[] =
    "alignas alignof asm auto bool break case catch char char8_t char16_t char32_t class concept "
    "const consteval constexpr constinit const_cast continue co_await co_return co_yield decltype "
    "default delete do double dynamic_cast else enum explicit export extern false float for friend "
    "goto if inline int long mutable namespace new noexcept nullptr operator private protected "
    "public register reinterpret_cast requires return short signed sizeof static static_assert "
    "static_cast struct switch template this thread_local throw true try typedef typeid typename "
    "union unsigned using virtual void volatile wchar_t while "
    "and and_eq bitand bitor compl not not_eq or or_eq xor xor_eq";
constexpr char kMembers[] =
    "Start Stop Draining DependencyChanged context Component Handle Handler AnyHandler Ref "
    "Request RequestEnum kMethod kService component request requests reply replies";
constexpr char kGenerated[] =
    "ClockMethods ClockCall ClockRequest ClockComponent ClockRef ClockDispatch "
    "ClockType BindClock";

TEST(RpcName, ThatIsTaken_GetsAnUnderscore) {
  std::istringstream words(std::string(kKeywords) + " errno " + kMembers + " " + kGenerated);
  std::string rpcs;
  std::vector<std::string> names;
  for (std::string word; words >> word;) {
    rpcs += "rpc " + word + "(A) returns (A);";
    names.push_back(word);
  }
  const std::string header = HeaderOf(rpcs);
  for (const std::string& name : names) {
    ExpectRpc(header, name, name + "_");
    Has(header, "  // The rpc " + name + ".\n");
  }
}

TEST(RpcName, ThatWouldBecomeAnothers_GetsOneMore) {
  const std::string header = HeaderOf("rpc Stop(A) returns (A); rpc Stop_(A) returns (A);");
  ExpectRpc(header, "Stop_", "Stop_");
  ExpectRpc(header, "Stop", "Stop__");
}

TEST(RpcName, ThatIsRenamed_IsItInEveryPlaceButOnTheWire) {
  const std::string rpcs = "rpc Go(A) returns (A); rpc Stop(A) returns (A);";
  for (const std::string service : {"Clock", "shop.v1.Clock"}) {
    const std::string header =
        HeaderOf(rpcs, "", "rename=" + service + ".Go:Run,rename=" + service + ".Stop:StopClock");
    ExpectRpc(header, "Go", "Run");
    ExpectRpc(header, "Stop", "StopClock");
  }
}

TEST(RpcName, ThatIsTheRefsMember_MovesTheMember) {
  const std::string header = HeaderOf("rpc ref_(A) returns (A);");
  ExpectRpc(header, "ref_", "ref_");
  Has(header, "::mainspring::Ref<RequestEnum> ref__;");
}

TEST(ServiceName, WhoseGeneratedNameIsTaken_GetsAnUnderscore) {
  for (const std::string other :
       {"message ClockRequest {}", "enum ClockRequest { ZERO = 0; }",
        "enum Other { ClockRequest = 0; }", "service ClockRequest { rpc Run(A) returns (A); }"}) {
    Has(HeaderOf("rpc Go(A) returns (A);", other), "using ClockRequest_ = ::std::variant<");
  }
  Has(HeaderOf("rpc Go(A) returns (A);", "", "", "message ClockRef {} message ClockRef_ {}"),
      "class ClockRef__ {");
  Has(HeaderOf("rpc Go(A) returns (A);",
               "service A_B { rpc Go(A) returns (A); } "
               "message Outer {} message A_BRef {}"),
      "class A_BRef_ {");
}

TEST(ServiceName, OfMessageThatIsNested_IsTakenAsItIsInCpp) {
  const std::string header =
      HeaderOf("rpc Go(A) returns (A);",
               "message B { message CRef {} } service B_C { rpc Go(A) returns (A); }");
  Has(header, "class B_CRef_ {");
}

TEST(ServiceName, OfAnotherPackage_IsNotTaken) {
  const TemporaryDirectory root;
  WriteFile(root.path() / "other.proto",
            "syntax = \"proto3\"; package shop.v2; message ClockRef {}");
  WriteFile(root.path() / "a.proto",
            "syntax = \"proto3\"; package shop.v1; import \"other.proto\"; "
            "service Clock { rpc Go(.shop.v2.ClockRef) returns (.shop.v2.ClockRef); }");
  Has(RunPlugin(root.path(), "a.proto", "").outputs.at("a.component.pb.h"), "class ClockRef {");
}

TEST(ServiceName, ThatIsAKeyword_IsPartOfNames) {
  const std::string header =
      HeaderOf("rpc Go(A) returns (A);", "service xor { rpc Go(A) returns (A); }");
  Has(header, "class xorComponent ");
}

TEST(Service, WithoutRpcs_IsLeftOut) {
  const std::string header = HeaderOf("rpc Go(A) returns (A);", "service Idle {}");
  Has(header, "class ClockRef {");
  EXPECT_EQ(header.find("Idle"), std::string::npos);
}

}  // namespace
}  // namespace mainspring::plugin
