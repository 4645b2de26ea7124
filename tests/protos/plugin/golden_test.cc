// The golden files are the contract of what the plugin writes. After a wanted change, rewrite them
// and read the difference:
//
//   MAINSPRING_UPDATE_GOLDEN=1 ctest -R Golden && git diff tests/protos/plugin/golden
#include <gtest/gtest.h>

#include <cstdlib>
#include <sstream>

#include "tests/protos/plugin/plugin_run.h"

namespace mainspring::plugin {
namespace {

const std::filesystem::path kGolden = MAINSPRING_GOLDEN;

// "line 7\n  golden:    ...\n  generated: ..." where the texts first differ; nothing: they do not.
std::string FirstDifference(const std::string& golden, const std::string& generated) {
  if (golden == generated) return "";
  std::istringstream golden_lines(golden);
  std::istringstream generated_lines(generated);
  for (int number = 1;; ++number) {
    std::string golden_line = "(end of file)";
    std::string generated_line = "(end of file)";
    const bool has_golden = !std::getline(golden_lines, golden_line).fail();
    const bool has_generated = !std::getline(generated_lines, generated_line).fail();
    if (!has_golden && !has_generated) return "only in the newline at the end of the file";
    if (golden_line == generated_line && has_golden == has_generated) continue;
    return "line " + std::to_string(number) +
           "\n  golden:    " + (has_golden ? golden_line : "(end of file)") +
           "\n  generated: " + (has_generated ? generated_line : "(end of file)");
  }
}

void ExpectGolden(const std::string& stem, const std::string& options) {
  const PluginRun run = RunPlugin(kGolden, stem + ".proto", options);
  ASSERT_EQ(run.exit_code, 0) << run.errors;
  EXPECT_EQ(run.errors, "");
  EXPECT_EQ(run.outputs.size(), 4u);
  for (const char* ending :
       {".component.pb.h", ".component.pb.cc", ".binding.pb.h", ".binding.pb.cc"}) {
    const std::string name = stem + ending;
    ASSERT_TRUE(run.outputs.contains(name)) << name << " was not written";
    const std::string& generated = run.outputs.at(name);
    if (std::getenv("MAINSPRING_UPDATE_GOLDEN") != nullptr) WriteFile(kGolden / name, generated);
    const std::string difference = FirstDifference(ReadFile(kGolden / name), generated);
    EXPECT_EQ(difference, "") << (kGolden / name).string() << ", " << difference;
  }
}

TEST(Golden, FourKindsOfRpc_AreWrittenAsInKinds) { ExpectGolden("kinds", ""); }

TEST(Golden, TwoServicesCommentsAndImports_AreWrittenAsInCounter) {
  ExpectGolden("shop/counter", "");
}

TEST(Golden, MessageNamedAsRequestEnum_IsWrittenAsInMirror) { ExpectGolden("mirror", ""); }

TEST(Golden, NamesThatAreTaken_AreWrittenAsInTaken) {
  ExpectGolden("taken", "rename=Job.Stop:EndJob");
}

TEST(Golden, ProtoWithoutServices_HasIncludesAndGuardsAlone) { ExpectGolden("shop/parts", ""); }

TEST(Comment, WithLoneCarriageReturn_StaysComment) {
  const TemporaryDirectory root;
  WriteFile(root.path() / "a.proto",
            "syntax = \"proto3\"; package a.v1;\n"
            "// One.\rTwo.\x01\n"
            "service S { rpc Go(GoRequest) returns (GoResponse); }\n"
            "message GoRequest {} message GoResponse {}\n");
  const PluginRun run = RunPlugin(root.path(), "a.proto");
  ASSERT_EQ(run.exit_code, 0) << run.errors;
  EXPECT_NE(run.outputs.at("a.component.pb.h").find("// One.\n// Two.\n"), std::string::npos);
}

}  // namespace
}  // namespace mainspring::plugin
