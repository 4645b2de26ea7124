// Protos that the plugin must refuse: where, why and the way out, as a user of protoc sees them.
#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <vector>

#include "tests/protos/plugin/plugin_run.h"

namespace mainspring::plugin {
namespace {

struct Case {
  const char* name;
  std::string proto;              // line 1 is the first one after the opening parenthesis
  std::vector<std::string> said;  // all on the line that begins with said[0], the place
  std::string import = "";        // other.proto
};

PluginRun RunOn(const std::string& proto, const std::string& import = "",
                const std::string& options = "") {
  const TemporaryDirectory root;
  WriteFile(root.path() / "shop/a.proto", proto);
  if (!import.empty()) WriteFile(root.path() / "shop/other.proto", import);
  return RunPlugin(root.path(), "shop/a.proto", options);
}

bool HasLineWith(const std::string& text, const std::vector<std::string>& said) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    bool has_all = line.starts_with(said[0]);
    for (const std::string& part : said) has_all = has_all && line.find(part) != line.npos;
    if (has_all) return true;
  }
  return false;
}

void ExpectRefused(const PluginRun& run, const std::vector<std::string>& said) {
  EXPECT_NE(run.exit_code, 0);
  EXPECT_TRUE(run.outputs.empty()) << "a refused proto has output";
  std::string wanted;
  for (const std::string& part : said) wanted += "\n  " + part;
  EXPECT_TRUE(HasLineWith(run.errors, said))
      << "no line has all of:" << wanted << "\nin what was said:\n"
      << run.errors;
}

// A proto whose service Clock has these rpcs, from line 3 on, and the usual messages.
std::string WithRpcs(const std::string& rpcs) {
  return "syntax = \"proto3\"; package shop.v1;\n"
         "service Clock {\n" +
         rpcs +
         "\n}\n"
         "message A {} message B {} message C {}\n";
}

std::string InPackage(const std::string& package) {
  return "syntax = \"proto3\";\n" + package +
         "\nservice Clock { rpc Go(GoRequest) returns (GoResponse); }\n"
         "message GoRequest {} message GoResponse {}\n";
}

TEST(Refusal, OfSharedRequest_NamesBothRpcsAndBothWaysOut) {
  const std::string proto = WithRpcs("rpc Get(A) returns (B);\n  rpc Put(A) returns (C);");
  ExpectRefused(RunOn(proto), {"shop/a.proto:4:3: ", "rpc Clock.Put", "request message shop.v1.A",
                               "shared with rpc Clock.Get at shop/a.proto:3",
                               "a request message of its own, such as PutRequest",
                               "option allow_shared_requests"});
  EXPECT_EQ(RunOn(proto, "", "allow_shared_requests").exit_code, 0);
}

TEST(Refusal, OfSharedResponse_DoesNotHappen) {
  EXPECT_EQ(RunOn(WithRpcs("rpc Get(A) returns (C); rpc Put(B) returns (C);")).exit_code, 0);
}

class RefusalOfProto : public testing::TestWithParam<Case> {};

TEST_P(RefusalOfProto, NamesPlaceReasonAndWayOut) {
  ExpectRefused(RunOn(GetParam().proto, GetParam().import), GetParam().said);
}

INSTANTIATE_TEST_SUITE_P(
    Names, RefusalOfProto,
    testing::Values(
        Case{"ServiceIsKeyword",
             "syntax = \"proto3\"; package shop.v1; message A {} message B {}\n"
             "service xor { rpc Go(A) returns (B); }",
             {"shop/a.proto:2:1: ", "service xor", "keyword of C++", "Rename the service"}},
        Case{"ServiceIsNamedAsMessageFromElsewhere",
             "syntax = \"proto3\"; package shop.v1; import \"shop/other.proto\";\n"
             "message A {}\n"
             "service Clock { rpc Go(A) returns (.other.v1.Clock); }",
             {"shop/a.proto:3:1: ", "service Clock", "rpc Go", "message other.v1.Clock",
              "of the same name", "Rename the service or the message"},
             "syntax = \"proto3\"; package other.v1; message Clock {}"},
        Case{
            "ServiceWithoutRpcs",
            "syntax = \"proto3\"; package shop.v1;\n\nservice Clock {}",
            {"shop/a.proto:3:1: ", "service Clock", "has no rpcs", "Give it an rpc, or remove it"}},
        Case{"RpcIsMacro",
             WithRpcs("rpc errno(A) returns (B);"),
             {"shop/a.proto:3:1: ", "rpc Clock.errno", "macro of C's library", "Rename the rpc"}},
        Case{"RpcsAreOneConstant",
             WithRpcs("rpc GetTime(A) returns (B);\nrpc get_time(C) returns (B);"),
             {"shop/a.proto:4:1: ", "rpc Clock.get_time", "rpc Clock.GetTime at shop/a.proto:3",
              "ClockMethod::kGetTime", "Rename one of the two"}},
        Case{"RpcIsCallOfAnother",
             WithRpcs("rpc Get(A) returns (B);\nrpc GetCall(C) returns (B);"),
             {"shop/a.proto:4:1: ", "rpc Clock.GetCall", "is generated for the service",
              "Rename the rpc, such as GetCallClock"}}),
    [](const auto& info) { return std::string(info.param.name); });

INSTANTIATE_TEST_SUITE_P(
    Clashes, RefusalOfProto,
    testing::Values(
        Case{"OfServiceWithMessage",
             WithRpcs("rpc Go(A) returns (B);") + "message ClockRef {}",
             {"shop/a.proto:2:1: ", "service Clock", "generated name ClockRef is taken",
              "message shop.v1.ClockRef at shop/a.proto:6",
              "Rename one of the two, or put them into different packages"}},
        Case{"OfRequestEnumWithBothItsNames",
             WithRpcs("rpc Go(A) returns (B);") +
                 "message ClockRequest {} message ClockRequestEnum {}",
             {"shop/a.proto:2:1: ", "generated name ClockRequestEnum is taken",
              "message shop.v1.ClockRequestEnum at shop/a.proto:6"}},
        Case{"OfServiceWithNestedMessage",
             "syntax = \"proto3\"; package shop.v1; message A {} message B { message CRef {} }\n"
             "service B_C { rpc Go(A) returns (B); }",
             {"shop/a.proto:2:1: ", "service B_C", "generated name B_CRef",
              "message shop.v1.B.CRef at shop/a.proto:1"}},
        Case{"OfServiceWithService",
             WithRpcs("rpc Go(A) returns (B);") + "service ClockRef { rpc Run(C) returns (B); }",
             {"shop/a.proto:2:1: ", "generated name ClockRef", "is service shop.v1.ClockRef"}},
        Case{"OfRpcWithEnumValue",
             WithRpcs("rpc Go(A) returns (B);") + "enum Kind { KIND_UNSPECIFIED = 0; GoCall = 1; }",
             {"shop/a.proto:3:1: ", "rpc Clock.Go", "generated name GoCall",
              "a value of enum shop.v1.Kind at shop/a.proto:6"}},
        Case{"OfRpcsOfTwoServices",
             WithRpcs("rpc GetTime(A) returns (B);") +
                 "service Watch {\n rpc GetTime(C) returns (B);\n}",
             {"shop/a.proto:7:2: ", "rpc Watch.GetTime", "generated name GetTimeCall",
              "generated for rpc Clock.GetTime at shop/a.proto:3 too"}},
        Case{"OfServiceWithMessageOfImport",
             "syntax = \"proto3\"; package shop.v1; import \"shop/other.proto\";\n"
             "service Clock { rpc Go(A) returns (B); } message A {} message B {}",
             {"shop/a.proto:2:1: ", "generated name ClockType",
              "message shop.v1.ClockType at shop/other.proto:1"},
             "syntax = \"proto3\"; package shop.v1; message ClockType {}"},
        Case{"OfRpcWithRpcOfImport",
             "syntax = \"proto3\"; package shop.v1; import \"shop/other.proto\";\n"
             "service Clock { rpc Go(A) returns (B); } message A {} message B {}",
             {"shop/a.proto:2:17: ", "generated name GoCall", "rpc Watch.Go at shop/other.proto:2"},
             "syntax = \"proto3\"; package shop.v1; message C {}\n"
             "service Watch { rpc Go(C) returns (C); }"}),
    [](const auto& info) { return std::string(info.param.name); });

INSTANTIATE_TEST_SUITE_P(
    Packages, RefusalOfProto,
    testing::Values(
        Case{"None", InPackage(""), {"shop/a.proto:1:1: ", "no package", "Declare one, such as"}},
        Case{"Posix",
             InPackage("package posix.v1;"),
             {"shop/a.proto:2:1: ", "\"posix\"", "C++ standard", "Choose another word"}},
        Case{"StdInside",
             InPackage("package shop.std;"),
             {"shop/a.proto:2:1: ", "\"std\"", "C++ standard", "Choose another word"}},
        Case{"Keyword",
             InPackage("package shop.export.v1;"),
             {"shop/a.proto:2:1: ", "\"export\"", "keyword of C++", "Choose another word"}},
        Case{"Macro",
             InPackage("package shop.stdin.v1;"),
             {"shop/a.proto:2:1: ", "\"stdin\"", "macro of C's library", "Choose another word"}},
        Case{"Mainspring",
             InPackage("package mainspring;"),
             {"shop/a.proto:2:1: ", "Mainspring's own classes", "mainspring.product.v1"}},
        Case{"MainspringsClass",
             InPackage("package mainspring.Component.v1;"),
             {"shop/a.proto:2:1: ", "Mainspring's own classes", "Write it in lower case."}}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(Refusal, OfCLibrarysName_IsForFirstPartOfPackageOnly) {
  for (const std::string name :
       {"clock", "time",  "signal", "index",  "read",   "write", "remove", "rename",
        "exit",  "abort", "system", "log",    "exp",    "y0",    "link",   "stat",
        "group", "wait",  "send",   "select", "daemon", "syslog"}) {
    ExpectRefused(RunOn(InPackage("package " + name + ".v1;")),
                  {"shop/a.proto:2:1: ", "C's library owns the name \"" + name + "\"",
                   "such as \"package company." + name + ".v1;\""});
  }
  EXPECT_EQ(RunOn(InPackage("package shop.clock.v1;")).exit_code, 0);
}

// names_test proves that the list is complete.
TEST(Refusal, OfRpcNamedAsMember_HappensForEachMember) {
  for (const std::string name :
       {"Start", "Stop", "DependencyChanged", "context", "context_", "Component", "Handle",
        "Handler", "AnyHandler", "Request", "kService", "RequestEnum", "component"}) {
    ExpectRefused(RunOn(WithRpcs("rpc " + name + "(A) returns (B);")),
                  {"shop/a.proto:3:1: ", "rpc Clock." + name, "has a member " + name,
                   "Rename the rpc, such as " + name + "Clock"});
  }
}

TEST(Refusal, OfMessage_DoesNotHappenForNamesOfRpcsMembersAndParameters) {
  EXPECT_EQ(RunOn(WithRpcs("rpc B(A) returns (.shop.v1.B);")).exit_code, 0);
  for (const std::string name : {"EndWith", "Ref", "Start", "Handle", "request", "reply"}) {
    const PluginRun run =
        RunOn(WithRpcs("rpc Go(" + name + ") returns (B);") + "message " + name + " {}");
    ASSERT_EQ(run.exit_code, 0) << run.errors;
    EXPECT_NE(run.outputs.at("shop/a.component.pb.h")
                  .find("virtual void Go(::shop::v1::" + name + " request, "),
              std::string::npos);
  }
}

TEST(Refusal, OfRpcNamedAsTheRefsMember_DoesNotHappen) {
  const PluginRun run = RunOn(WithRpcs("rpc ref_(A) returns (B);"));
  ASSERT_EQ(run.exit_code, 0) << run.errors;
  EXPECT_NE(run.outputs.at("shop/a.component.pb.h").find("::mainspring::Ref<RequestEnum> ref__;"),
            std::string::npos);
}

TEST(Refusal, OfRpcNamedAsGeneratedName_HappensForEachName) {
  for (const std::string name : {"ClockMethod", "ClockMethods", "ClockRequest", "ClockComponent",
                                 "ClockRef", "ClockDispatch", "ClockType", "BindClock"}) {
    ExpectRefused(RunOn(WithRpcs("rpc " + name + "(A) returns (B);")),
                  {"shop/a.proto:3:1: ", "rpc Clock." + name, "is generated for the service",
                   "Rename the rpc, such as " + name + "Clock"});
  }
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

TEST(Refusal, OfRpcNamedAsKeyword_HappensForEachKeyword) {
  std::vector<std::string> keywords;
  std::istringstream words(kKeywords);
  for (std::string word; words >> word;) keywords.push_back(word);
  std::string rpcs;
  for (const std::string& keyword : keywords) rpcs += "rpc " + keyword + "(A) returns (B);\n";

  const PluginRun run = RunOn(WithRpcs(rpcs), "", "allow_shared_requests");

  for (size_t i = 0; i < keywords.size(); ++i) {
    ExpectRefused(
        run, {"shop/a.proto:" + std::to_string(i + 3) + ":1: ", "rpc Clock." + keywords[i] + ": ",
              "is a keyword of C++", "Rename the rpc"});
  }
}

TEST(Refusal, OfUnknownOption_ListsKnownOnes) {
  const PluginRun run = RunOn(WithRpcs("rpc Go(A) returns (B);"), "", "allow_shared_request");
  ExpectRefused(run, {"option \"allow_shared_request\"", "not known",
                      "The one option is allow_shared_requests."});
}

TEST(Refusal, OfOptionWithValue_SaysThatItTakesNone) {
  ExpectRefused(RunOn(WithRpcs("rpc Go(A) returns (B);"), "", "allow_shared_requests=yes"),
                {"option \"allow_shared_requests\"", "no value", "Write its name alone"});
}

TEST(Refusal, OfWhatIsNamedAsRequestEnum_NeverHappens) {
  for (const std::string other :
       {"message ClockRequest {}", "enum ClockRequest { ZERO = 0; }",
        "enum Other { ClockRequest = 0; }", "service ClockRequest { rpc Run(C) returns (B); }"}) {
    const PluginRun run = RunOn(WithRpcs("rpc Go(A) returns (B);") + other);
    ASSERT_EQ(run.exit_code, 0) << other;
    EXPECT_NE(run.outputs.at("shop/a.component.pb.h").find("using ClockRequestEnum = "),
              std::string::npos);
  }
}

TEST(Refusal, OfSeveralThings_ReportsAllInOrderOfLines) {
  const PluginRun run = RunOn(
      "syntax = \"proto3\";\n"
      "package clock.v1;\n"
      "service Clock {\n"
      "  rpc Start(A) returns (B);\n"
      "  rpc delete(A) returns (B);\n"
      "}\n"
      "service Idle {}\n"
      "message A {} message B {}\n",
      "", "no_such_option");
  const std::vector<std::string> in_order = {
      "no_such_option",
      "shop/a.proto:2:1: ", "shop/a.proto:4:3: ", "shop/a.proto:5:3: ", "shop/a.proto:7:1: "};
  size_t at = 0;
  for (const std::string& said : in_order) {
    at = run.errors.find(said, at);
    ASSERT_NE(at, std::string::npos) << said << " is missing or out of order in:\n" << run.errors;
  }
  ExpectRefused(run, {"shop/a.proto:5:3: ", "is shared with"});
  ExpectRefused(run, {"shop/a.proto:5:3: ", "is a keyword"});
}

TEST(Refusal, OfOneProtoOfTwo_LeavesNoOutputOfEither) {
  const TemporaryDirectory root;
  WriteFile(root.path() / "good.proto", WithRpcs("rpc Go(A) returns (B);"));
  WriteFile(root.path() / "bad.proto", "syntax = \"proto3\"; package b; service S {}");
  const PluginRun run = RunPlugin(root.path(), "good.proto' 'bad.proto");
  ExpectRefused(run, {"bad.proto:1:", "has no rpcs"});
}

TEST(Refusal, OfProtoWithoutServices_NeverHappens) {
  EXPECT_EQ(RunOn("syntax = \"proto3\"; package clock.v1; message Start {}").exit_code, 0);
  EXPECT_EQ(RunOn("syntax = \"proto3\"; message Start {}").exit_code, 0);
}

}  // namespace
}  // namespace mainspring::plugin
