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

class RefusalOfProto : public testing::TestWithParam<Case> {};

TEST_P(RefusalOfProto, NamesPlaceReasonAndWayOut) {
  ExpectRefused(RunOn(GetParam().proto, GetParam().import), GetParam().said);
}

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

TEST(Refusal, OfUnknownOption_ListsKnownOnes) {
  ExpectRefused(RunOn(WithRpcs("rpc Go(A) returns (B);"), "", "renames=Clock.Go:Run"),
                {"option \"renames\"", "not known", "The one option is rename=SERVICE.RPC:NAME."});
}

TEST(Refusal, OfRename_SaysWhatIsWrongWithIt) {
  const std::string proto = WithRpcs("rpc Go(A) returns (B);\nrpc Run(A) returns (B);");
  const auto expect = [&](const std::string& options, const std::vector<std::string>& said) {
    ExpectRefused(RunOn(proto, "", options), said);
  };
  for (const std::string value : {"", "Go:Walk", "Clock.Go", "Clock.Go:", ":"}) {
    expect("rename=" + value,
           {"option \"rename\": is \"" + value + "\"", "such as \"rename=Jobs.Start:StartJob\""});
  }
  expect("rename=Clock.Go:A1,rename=Clock.Go:A2",
         {"option \"rename\": renames \"Clock.Go\" for a second time"});
  for (const std::string rpc : {"Clock.Get", "Watch.Go", "other.v1.Clock.Go"}) {
    expect("rename=" + rpc + ":Walk",
           {"option \"rename=" + rpc + ":Walk\"", "there is no rpc", "Write it as the proto does"});
  }
  const auto expect_not = [&](const std::string& name, const std::string& reason) {
    expect("rename=Clock.Go:" + name,
           {"shop/a.proto:3:1: ", "rpc Clock.Go: option \"rename=Clock.Go:" + name + "\"",
            "\"" + name + "\" is " + reason, "Choose another name"});
  };
  for (const std::string name : {"1st", "a-b", "a b", "Ä", "A.B", "::A"}) {
    expect_not(name, "no name in C++");
  }
  expect_not("delete", "a keyword of C++");
  expect_not("errno", "a macro of C's library");
  expect_not("Start", "a member of ::mainspring::Component");
  expect_not("Handle", "a member of ::mainspring::Handler");
  expect_not("reply", "a member of the generated classes");
  expect_not("ClockRef", "generated for the service");
  expect_not("Run", "another rpc, at shop/a.proto:4");
}

TEST(Refusal, OfSeveralThings_ReportsAllInOrderOfLines) {
  const PluginRun run = RunOn(
      "syntax = \"proto3\";\n"
      "package clock.export.v1;\n"
      "service Clock {\n"
      "  rpc Start(A) returns (B);\n"
      "}\n"
      "message A {} message B {}\n",
      "", "no_such_option,rename=Clock.Start:Stop");
  const std::vector<std::string> in_order = {
      "no_such_option", "shop/a.proto:2:1: ", "C's library", "shop/a.proto:2:1: ",
      "keyword",        "shop/a.proto:4:3: "};
  size_t at = 0;
  for (const std::string& said : in_order) {
    at = run.errors.find(said, at);
    ASSERT_NE(at, std::string::npos) << said << " is missing or out of order in:\n" << run.errors;
  }
}

TEST(Refusal, OfOneProtoOfTwo_LeavesNoOutputOfEither) {
  const TemporaryDirectory root;
  WriteFile(root.path() / "good.proto", WithRpcs("rpc Go(A) returns (B);"));
  WriteFile(root.path() / "bad.proto",
            "syntax = \"proto3\"; package time; service S { rpc Go(A) returns (A); } message A {}");
  const PluginRun run = RunPlugin(root.path(), "good.proto' 'bad.proto");
  ExpectRefused(run, {"bad.proto:1:", "C's library"});
}

TEST(Refusal, OfProtoWithoutServices_NeverHappens) {
  EXPECT_EQ(RunOn("syntax = \"proto3\"; package clock.v1; message Start {}").exit_code, 0);
  EXPECT_EQ(RunOn("syntax = \"proto3\"; message Start {}").exit_code, 0);
}

}  // namespace
}  // namespace mainspring::plugin
