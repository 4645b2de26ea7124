// ReflectedPlane: what the reflection servicers of one plane, v1 and v1alpha, have in common.
#ifndef MAINSPRING_SERVER_REFLECTION_REFLECTED_PLANE_H_
#define MAINSPRING_SERVER_REFLECTION_REFLECTED_PLANE_H_

#include <atomic>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "mainspring/server/reflection/served_files.h"

namespace mainspring {

// Any thread. It must outlive the places that it gave.
class ReflectedPlane {
 public:
  // The full names of the services that the plane serves, how many reflection streams it may have
  // open at one time, and the messages that travel there in a google.protobuf.Any.
  ReflectedPlane(std::vector<std::string> services, size_t max_streams,
                 const std::vector<std::string>& messages = {})
      : services_(std::move(services)), files_(services_, messages), max_streams_(max_streams) {}

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

  const std::vector<std::string>& services() const { return services_; }
  const ServedFiles& files() const { return files_; }
  size_t max_streams() const { return max_streams_; }

 private:
  const std::vector<std::string> services_;
  const ServedFiles files_;
  const size_t max_streams_;
  std::atomic<size_t> taken_{0};
};

}  // namespace mainspring

#endif  // MAINSPRING_SERVER_REFLECTION_REFLECTED_PLANE_H_
