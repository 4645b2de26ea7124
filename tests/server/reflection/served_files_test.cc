#include "mainspring/server/reflection/served_files.h"

#include <google/protobuf/any.pb.h>
#include <google/protobuf/descriptor.h>
#include <gtest/gtest.h>

#include <string>

#include "extended.pb.h"
#include "extension.pb.h"
#include "grpc/health/v1/health.pb.h"
#include "mainspring/lifecycle/v1/lifecycle.pb.h"
#include "mainspring/trial/v1/trial.pb.h"

namespace mainspring {
namespace {

// Whether the file is shown where these services are served.
bool Has(const std::vector<std::string>& services, const google::protobuf::Descriptor* message) {
  return ServedFiles(services).Has(*message->file());
}

constexpr char kTrial[] = "mainspring.trial.v1.Trial";
constexpr char kKeeper[] = "mainspring.extended.Keeper";

TEST(ServedFiles, OfAService_AreItsFileAndItsImports) {
  EXPECT_TRUE(Has({kTrial}, trial::v1::EchoRequest::descriptor()));
  EXPECT_TRUE(Has({kTrial, kKeeper}, trial::v1::EchoRequest::descriptor()));
  EXPECT_TRUE(Has({kKeeper}, extended::Extended::descriptor()));
}

TEST(ServedFiles, OfAnotherService_AreNotThere) {
  EXPECT_FALSE(Has({kTrial}, lifecycle::v1::ListComponentsRequest::descriptor()));
  EXPECT_FALSE(Has({kTrial}, grpc::health::v1::HealthCheckRequest::descriptor()));
  EXPECT_FALSE(Has({kTrial}, extended::Extended::descriptor()));
  EXPECT_FALSE(Has({"mainspring.lifecycle.v1.Lifecycle"}, trial::v1::EchoRequest::descriptor()));
}

TEST(ServedFiles, OfAMessageThatAnotherFileExtends_HaveThatFile) {
  EXPECT_TRUE(Has({kKeeper}, extended::Outside::descriptor()));
  EXPECT_FALSE(Has({kTrial}, extended::Outside::descriptor()));
}

TEST(ServedFiles, WhateverIsServed_HaveTheWellKnownTypes) {
  EXPECT_TRUE(Has({}, google::protobuf::Any::descriptor()));
  EXPECT_TRUE(Has({kTrial}, google::protobuf::Any::descriptor()));
}

TEST(ServedFiles, OfAServiceThatNobodyKnows_AreNone) {
  EXPECT_FALSE(Has({"none.such", ""}, trial::v1::EchoRequest::descriptor()));
}

}  // namespace
}  // namespace mainspring
