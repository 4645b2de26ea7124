// ReflectedPlane: what the reflection servicers of one plane, v1 and v1alpha, have in common.
#ifndef MAINSPRING_SERVER_REFLECTION_REFLECTED_PLANE_H_
#define MAINSPRING_SERVER_REFLECTION_REFLECTED_PLANE_H_

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <functional>
#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "mainspring/server/reflection/served_files.h"

namespace mainspring {

// Any thread. It must outlive the places that it gave.
class ReflectedPlane {
 public:
  // Whether somebody answers a service now. Any thread.
  using IsAnswered = std::function<bool(const std::string& service)>;

  // The full names of the services that the plane has, how many reflection streams it may have
  // open at one time, and the messages that travel there in a google.protobuf.Any.
  ReflectedPlane(
      std::vector<std::string> services, size_t max_streams,
      const std::vector<std::string>& messages = {},
      IsAnswered is_answered = [](const std::string&) { return true; })
      : all_(std::move(services)),
        files_(all_, messages),
        max_streams_(max_streams),
        is_answered_(std::move(is_answered)) {}

  // The place of one stream, given back when it is destroyed.
  class Place {
   public:
    explicit Place(std::atomic<size_t>& taken) : taken_(taken) {}
    ~Place() { --taken_; }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;

   private:
    std::atomic<size_t>& taken_;
  };

  // Null: all are taken.
  std::unique_ptr<Place> TakePlace() {
    if (taken_++ < max_streams_) return std::make_unique<Place>(taken_);
    --taken_;
    return nullptr;
  }

  // Those that are answered.
  std::vector<std::string> services() const {
    std::vector<std::string> services;
    std::copy_if(all_.begin(), all_.end(), std::back_inserter(services), is_answered_);
    return services;
  }
  const ServedFiles& files() const { return files_; }
  size_t max_streams() const { return max_streams_; }

 private:
  const std::vector<std::string> all_;
  const ServedFiles files_;
  const size_t max_streams_;
  const IsAnswered is_answered_;
  std::atomic<size_t> taken_{0};
};

}  // namespace mainspring

#endif  // MAINSPRING_SERVER_REFLECTION_REFLECTED_PLANE_H_
