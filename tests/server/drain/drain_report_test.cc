#include "mainspring/server/drain/drain_report.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

namespace mainspring {
namespace {

using nlohmann::json;

class DrainReportTest : public ::testing::Test {
 protected:
  // `milliseconds` after some beginning.
  static SteadyTime At(int milliseconds) {
    return SteadyTime(std::chrono::hours(1)) + std::chrono::milliseconds(milliseconds);
  }

  DrainReport report_;
};

TEST_F(DrainReportTest, WhenADrainIsOver_TellsWhatEachPhaseTook) {
  report_.Enter(DrainPhase::kLameDuck, At(0));
  report_.Enter(DrainPhase::kClose, At(5000));
  report_.Enter(DrainPhase::kFinish, At(5100));
  report_.Enter(DrainPhase::kStop, At(5120));
  report_.Enter(DrainPhase::kOver, At(5125));
  EXPECT_EQ(R"({"event":"exit","code":0,"trigger":"SIGTERM","lame_duck_ms":5000,"close_ms":100,)"
            R"("finish_ms":20,"stop_ms":5,"total_ms":5125,"cut_calls":0,"hung":[]})",
            report_.ExitLine(kExitClean, "SIGTERM", At(5125)));
}

TEST_F(DrainReportTest, WhenPhasesWereSkipped_TheyTookNoTime) {
  report_.Enter(DrainPhase::kLameDuck, At(0));
  report_.Enter(DrainPhase::kStop, At(70));
  report_.Enter(DrainPhase::kOver, At(100));
  const json line = json::parse(report_.ExitLine(kExitClean, "x", At(100)));
  EXPECT_EQ(70, line["lame_duck_ms"]);
  EXPECT_EQ(0, line["close_ms"]);
  EXPECT_EQ(0, line["finish_ms"]);
  EXPECT_EQ(30, line["stop_ms"]);
  EXPECT_EQ(100, line["total_ms"]);
}

TEST_F(DrainReportTest, WhenCutShortInAPhase_CountsItSoFarAndTheRestAsZero) {
  report_.Enter(DrainPhase::kLameDuck, At(0));
  report_.Enter(DrainPhase::kClose, At(10));
  const json line = json::parse(report_.ExitLine(kExitForced, "x", At(500)));
  EXPECT_EQ(10, line["lame_duck_ms"]);
  EXPECT_EQ(490, line["close_ms"]);
  EXPECT_EQ(0, line["finish_ms"]);
  EXPECT_EQ(0, line["stop_ms"]);
  EXPECT_EQ(500, line["total_ms"]);
}

TEST_F(DrainReportTest, WhenAskedMeanwhile_TellsThePhaseAndSinceWhen) {
  EXPECT_EQ(std::nullopt, report_.phase());
  report_.Enter(DrainPhase::kLameDuck, At(0));
  EXPECT_EQ(std::pair(DrainPhase::kLameDuck, At(0)), report_.phase());
  report_.Enter(DrainPhase::kStop, At(70));
  EXPECT_EQ(std::pair(DrainPhase::kStop, At(70)), report_.phase());
}

TEST_F(DrainReportTest, WhenAPhaseIsEnteredTwice_CountsFromTheFirst) {
  report_.Enter(DrainPhase::kLameDuck, At(0));
  report_.Enter(DrainPhase::kLameDuck, At(5));
  report_.Enter(DrainPhase::kOver, At(20));
  EXPECT_EQ(20, json::parse(report_.ExitLine(kExitClean, "x", At(20)))["lame_duck_ms"]);
}

TEST_F(DrainReportTest, WhenCallsWereCut_AddsThemUp) {
  EXPECT_FALSE(report_.anything_cut());
  report_.AddCut(0);
  EXPECT_FALSE(report_.anything_cut());
  report_.AddCut(2);
  report_.AddCut(3);
  EXPECT_TRUE(report_.anything_cut());
  EXPECT_EQ(5, json::parse(report_.ExitLine(kExitCut, "x", At(0)))["cut_calls"]);
}

TEST_F(DrainReportTest, WhenSomebodyHung_NamesComponentMethodAndAge) {
  EXPECT_FALSE(report_.anything_stuck());
  report_.AddStuck({});
  EXPECT_FALSE(report_.anything_stuck());
  report_.AddStuck({{"mail", "/mail.v1.Mail/Send", absl::Seconds(7)}});
  EXPECT_TRUE(report_.anything_stuck());
  EXPECT_EQ(json::parse(R"([{"component":"mail","method":"/mail.v1.Mail/Send","age_ms":7000}])"),
            json::parse(report_.ExitLine(kExitForced, "x", At(0)))["hung"]);
}

TEST_F(DrainReportTest, WhateverTheTriggerIsCalled_IsOneLineThatParses) {
  for (const std::string& reason :
       {std::string("a\"b\nc"), std::string("\xff\xfe"), std::string()}) {
    const std::string line = report_.ExitLine(kExitClean, reason, At(0));
    EXPECT_EQ(std::string::npos, line.find('\n'));
    EXPECT_TRUE(json::accept(line)) << line;
  }
}

TEST_F(DrainReportTest, ForEachPhase_HasAName) {
  EXPECT_STREQ("lame_duck", Name(DrainPhase::kLameDuck));
  EXPECT_STREQ("close", Name(DrainPhase::kClose));
  EXPECT_STREQ("finish", Name(DrainPhase::kFinish));
  EXPECT_STREQ("stop", Name(DrainPhase::kStop));
  EXPECT_STREQ("over", Name(DrainPhase::kOver));
}

}  // namespace
}  // namespace mainspring
