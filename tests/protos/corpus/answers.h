// What every component of the corpus answers: to a request one message, to a request for a stream
// two, to a client's stream one when it has ended, and in a dialog one for each request.
//
// The message is empty but for what proto2 requires, and for two fields that no message has, so
// that a client can tell which method was called, and whether the request came whole.
#ifndef MAINSPRING_TESTS_PROTOS_CORPUS_ANSWERS_H_
#define MAINSPRING_TESTS_PROTOS_CORPUS_ANSWERS_H_

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <google/protobuf/unknown_field_set.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <utility>

#include "mainspring/component.h"

namespace corpus_host {

inline constexpr int kPathField = 400000001;   // "/package.Service/Rpc", as the method knows it
inline constexpr int kBytesField = 400000002;  // how long the request was, or all of a stream

// Sets what proto2 requires, and nothing else.
inline void FillRequired(google::protobuf::Message& message) {
  using google::protobuf::FieldDescriptor;
  const google::protobuf::Reflection& reflection = *message.GetReflection();
  for (int i = 0; i < message.GetDescriptor()->field_count(); ++i) {
    const FieldDescriptor* field = message.GetDescriptor()->field(i);
    if (!field->is_required()) continue;
    switch (field->cpp_type()) {
      case FieldDescriptor::CPPTYPE_INT32:
        reflection.SetInt32(&message, field, 1);
        break;
      case FieldDescriptor::CPPTYPE_INT64:
        reflection.SetInt64(&message, field, 1);
        break;
      case FieldDescriptor::CPPTYPE_UINT32:
        reflection.SetUInt32(&message, field, 1);
        break;
      case FieldDescriptor::CPPTYPE_UINT64:
        reflection.SetUInt64(&message, field, 1);
        break;
      case FieldDescriptor::CPPTYPE_DOUBLE:
        reflection.SetDouble(&message, field, 1);
        break;
      case FieldDescriptor::CPPTYPE_FLOAT:
        reflection.SetFloat(&message, field, 1);
        break;
      case FieldDescriptor::CPPTYPE_BOOL:
        reflection.SetBool(&message, field, true);
        break;
      case FieldDescriptor::CPPTYPE_STRING:
        reflection.SetString(&message, field, "1");
        break;
      case FieldDescriptor::CPPTYPE_ENUM:
        reflection.SetEnum(&message, field, field->default_value_enum());
        break;
      case FieldDescriptor::CPPTYPE_MESSAGE:
        FillRequired(*reflection.MutableMessage(&message, field));
        break;
    }
  }
}

template <class Response>
Response Filled(const char* path, size_t bytes) {
  Response response;
  FillRequired(response);
  google::protobuf::UnknownFieldSet& more =
      *response.GetReflection()->MutableUnknownFields(&response);
  more.AddLengthDelimited(kPathField, path);
  more.AddVarint(kBytesField, bytes);
  return response;
}

template <class Request, class Response>
void Answer(const char* path, Request request, mainspring::Reply<Response> reply) {
  reply.Send(Filled<Response>(path, request.ByteSizeLong()));
}

template <class Request, class Response>
void Answer(const char* path, Request request, mainspring::ReplyStream<Response> replies) {
  replies.Write(Filled<Response>(path, request.ByteSizeLong()));
  replies.Write(Filled<Response>(path, request.ByteSizeLong()));
  replies.Finish();
}

// A call that lives in the callback that it waits for.
template <class Request, class Response>
struct UploadCall {
  const char* path;
  mainspring::RequestStream<Request> requests;
  mainspring::Reply<Response> reply;
  size_t bytes = 0;
};

template <class Request, class Response>
void ReadToTheEnd(std::shared_ptr<UploadCall<Request, Response>> call) {
  UploadCall<Request, Response>& each = *call;
  each.requests.Read([call = std::move(call)](std::optional<Request> request) {
    if (!request.has_value()) {
      call->reply.Send(Filled<Response>(call->path, call->bytes));
      return;
    }
    call->bytes += request->ByteSizeLong();
    ReadToTheEnd(call);
  });
}

template <class Request, class Response>
void Answer(const char* path, mainspring::RequestStream<Request> requests,
            mainspring::Reply<Response> reply) {
  using Call = UploadCall<Request, Response>;
  ReadToTheEnd(std::make_shared<Call>(Call{path, std::move(requests), std::move(reply)}));
}

template <class Request, class Response>
struct DialogCall {
  const char* path;
  mainspring::RequestStream<Request> requests;
  mainspring::ReplyStream<Response> replies;
};

template <class Request, class Response>
void ReadNext(std::shared_ptr<DialogCall<Request, Response>> call);

template <class Request, class Response>
void WriteNext(std::shared_ptr<DialogCall<Request, Response>> call, Response response) {
  switch (call->replies.Write(response)) {
    case mainspring::WriteResult::kAccepted:
      ReadNext(std::move(call));
      break;
    case mainspring::WriteResult::kFull:
      call->replies.OnReady([call, response] { WriteNext(call, response); });
      break;
    case mainspring::WriteResult::kClosed:
      call->replies.Finish();
      break;
  }
}

template <class Request, class Response>
void ReadNext(std::shared_ptr<DialogCall<Request, Response>> call) {
  DialogCall<Request, Response>& each = *call;
  each.requests.Read([call = std::move(call)](std::optional<Request> request) {
    if (!request.has_value()) {
      call->replies.Finish();
      return;
    }
    WriteNext(call, Filled<Response>(call->path, request->ByteSizeLong()));
  });
}

template <class Request, class Response>
void Answer(const char* path, mainspring::RequestStream<Request> requests,
            mainspring::ReplyStream<Response> replies) {
  using Call = DialogCall<Request, Response>;
  ReadNext(std::make_shared<Call>(Call{path, std::move(requests), std::move(replies)}));
}

}  // namespace corpus_host

#endif  // MAINSPRING_TESTS_PROTOS_CORPUS_ANSWERS_H_
