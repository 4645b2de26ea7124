// ReflectionServicer: grpc.reflection, v1 and v1alpha, for what one plane serves, answered at once
// on the ingress thread. gRPC's own plugin has v1alpha alone, needs a thread for each stream, and
// puts itself on every server of the process.
#ifndef MAINSPRING_SERVER_REFLECTION_REFLECTION_SERVICER_H_
#define MAINSPRING_SERVER_REFLECTION_REFLECTION_SERVICER_H_

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "grpc/reflection/v1/reflection.component.pb.h"
#include "grpc/reflection/v1alpha/reflection.component.pb.h"
#include "mainspring/server/reflection/descriptors.h"
#include "mainspring/server/reflection/reflected_plane.h"
#include "mainspring/text.h"

namespace mainspring {

// How long a request may be, in bytes, serialised; no name of a file or a symbol is as long.
inline constexpr size_t kLongestReflectionRequest = 1024;

// The same for both versions, whose messages differ in their package alone.
//
// A stream's next request is read once its last answer is on its way: a client that sends and does
// not read costs one answer. RESOURCE_EXHAUSTED: the plane has as many streams as it allows.
template <class Methods, class Request, class Response>
class ReflectionServicer final : public Methods {
 public:
  // `plane` outlives the servicer.
  explicit ReflectionServicer(ReflectedPlane& plane) : plane_(plane) {}

  void ServerReflectionInfo(RequestStream<Request> requests,
                            ReplyStream<Response> replies) override {
    std::unique_ptr<ReflectedPlane::Place> place = plane_.TakePlace();
    if (place == nullptr) {
      replies.Finish(absl::ResourceExhaustedError(absl::StrCat(
          plane_.max_streams(), " reflection streams are all that a plane allows; come again")));
      return;
    }
    Next(std::make_shared<Session>(Session{std::move(place), std::move(requests),
                                           std::move(replies), DescriptorWalk(plane_.files())}));
  }

 private:
  // One stream; it lives in the callback that waits for its next request, or for its last answer to
  // be sent.
  struct Session {
    std::unique_ptr<ReflectedPlane::Place> place;
    RequestStream<Request> requests;
    ReplyStream<Response> replies;
    DescriptorWalk walk;
  };

  void Next(std::shared_ptr<Session> session) {
    Session& stream = *session;
    stream.requests.Read([this, session = std::move(session)](std::optional<Request> request) {
      if (!request.has_value()) {
        session->replies.Finish();
        return;
      }
      Send(session, AnswerTo(session->walk, *request));
    });
  }

  void Send(std::shared_ptr<Session> session, Response response) {
    Session& stream = *session;
    if (stream.replies.Write(std::move(response)) == WriteResult::kClosed) return;
    stream.replies.OnSent(
        [this, session = std::move(session)]() mutable { Next(std::move(session)); });
  }

  Response AnswerTo(DescriptorWalk& walk, const Request& request) const {
    Response response;
    // Not echoed either: what comes back would be as long.
    if (const size_t bytes = request.ByteSizeLong(); bytes > kLongestReflectionRequest) {
      return WithError(absl::InvalidArgumentError(
                           absl::StrCat("the request has ", bytes, " bytes, more than the ",
                                        kLongestReflectionRequest, " that any name needs")),
                       std::move(response));
    }
    response.set_valid_host(request.host());
    *response.mutable_original_request() = request;
    switch (request.message_request_case()) {
      case Request::kListServices:
        for (const std::string& service : plane_.services()) {
          response.mutable_list_services_response()->add_service()->set_name(service);
        }
        return response;
      case Request::kFileByFilename:
        return WithFiles(walk.FileNamed(request.file_by_filename()), std::move(response));
      case Request::kFileContainingSymbol:
        return WithFiles(walk.FileOfSymbol(request.file_containing_symbol()), std::move(response));
      case Request::kFileContainingExtension:
        return WithFiles(
            walk.FileOfExtension(request.file_containing_extension().containing_type(),
                                 request.file_containing_extension().extension_number()),
            std::move(response));
      case Request::kAllExtensionNumbersOfType: {
        const std::string& type = request.all_extension_numbers_of_type();
        absl::StatusOr<std::vector<int>> numbers = walk.ExtensionNumbers(type);
        if (!numbers.ok()) return WithError(numbers.status(), std::move(response));
        auto& answer = *response.mutable_all_extension_numbers_response();
        answer.set_base_type_name(type);
        for (int number : *numbers) answer.add_extension_number(number);
        return response;
      }
      case Request::MESSAGE_REQUEST_NOT_SET:
        break;
    }
    return WithError(absl::InvalidArgumentError("the request asks for nothing"),
                     std::move(response));
  }

  static Response WithFiles(absl::StatusOr<std::vector<std::string>> files, Response response) {
    if (!files.ok()) return WithError(files.status(), std::move(response));
    for (std::string& file : *files) {
      response.mutable_file_descriptor_response()->add_file_descriptor_proto(std::move(file));
    }
    return response;
  }

  static Response WithError(const absl::Status& error, Response response) {
    response.mutable_error_response()->set_error_code(static_cast<int>(error.code()));
    response.mutable_error_response()->set_error_message(BoundedText(error.message()));
    return response;
  }

  ReflectedPlane& plane_;
};

using ReflectionV1 = ReflectionServicer<grpc::reflection::v1::ServerReflectionMethods,
                                        grpc::reflection::v1::ServerReflectionRequest,
                                        grpc::reflection::v1::ServerReflectionResponse>;
using ReflectionV1Alpha = ReflectionServicer<grpc::reflection::v1alpha::ServerReflectionMethods,
                                             grpc::reflection::v1alpha::ServerReflectionRequest,
                                             grpc::reflection::v1alpha::ServerReflectionResponse>;

}  // namespace mainspring

#endif  // MAINSPRING_SERVER_REFLECTION_REFLECTION_SERVICER_H_
