// Speaker: a component whose every step a test writes, and its request enum, one call of each
// shape: what protoc-gen-mainspring would generate, by hand and without protobuf.
#ifndef MAINSPRING_TESTS_COMPONENTS_MAINSPRING_SPEAKER_H_
#define MAINSPRING_TESTS_COMPONENTS_MAINSPRING_SPEAKER_H_

#include <cstddef>
#include <functional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "mainspring/component.h"

namespace mainspring::testing {

struct Word {
  // No aggregate: see coroutine.h.
  Word() = default;
  explicit Word(std::string of) : text(std::move(of)) {}
  size_t ByteSizeLong() const { return text.size(); }
  bool operator==(const Word&) const = default;
  std::string text;
};

struct SayCall {
  static constexpr char kMethod[] = "/test.Speaker/Say";
  Word request;
  Reply<Word> reply;
};
struct RecountCall {
  static constexpr char kMethod[] = "/test.Speaker/Recount";
  Word request;
  ReplyStream<Word> replies;
};
struct GatherCall {
  static constexpr char kMethod[] = "/test.Speaker/Gather";
  RequestStream<Word> requests;
  Reply<Word> reply;
};
struct TalkCall {
  static constexpr char kMethod[] = "/test.Speaker/Talk";
  RequestStream<Word> requests;
  ReplyStream<Word> replies;
};
using SpeakerRequest = std::variant<SayCall, RecountCall, GatherCall, TalkCall>;

// What the instances do. Outlives them; what they count is read on their thread, or after it.
struct Script {
  std::function<void(Context&)> construct = [](Context&) {};
  std::function<absl::Status(Context&)> start = [](Context&) { return absl::OkStatus(); };
  std::function<void(Context&)> stop = [](Context&) {};
  std::function<void()> destroy = [] {};
  std::function<void(Context&)> draining = [](Context&) {};
  std::function<void(Context&, const std::string&, bool)> dependency_changed =
      [](Context&, const std::string&, bool) {};
  // Says again what it is told.
  std::function<void(Context&, SayCall)> say = [](Context&, SayCall call) {
    call.reply.Send(std::move(call.request));
  };
  std::function<void(Context&, RecountCall)> recount = [](Context&, RecountCall) {};
  std::function<void(Context&, GatherCall)> gather = [](Context&, GatherCall) {};
  std::function<void(Context&, TalkCall)> talk = [](Context&, TalkCall) {};

  int constructed = 0;
  int destroyed = 0;
  int stopped = 0;
  // What Say was told, in order.
  std::vector<std::string> said;
};

class Speaker final : public Component, public Handler<SpeakerRequest> {
 public:
  Speaker(Context& context, Script& script) : Component(context), script_(script) {
    script_.construct(context);
    ++script_.constructed;
  }
  ~Speaker() override {
    ++script_.destroyed;
    script_.destroy();
  }

  absl::Status Start() override { return script_.start(context()); }
  void Stop() override {
    ++script_.stopped;
    script_.stop(context());
  }
  void Draining() override { script_.draining(context()); }
  void DependencyChanged(std::string component, bool running) override {
    script_.dependency_changed(context(), component, running);
  }

  void Handle(SpeakerRequest&& request) override {
    std::visit([this](auto& call) { Do(std::move(call)); }, request);
  }

 private:
  void Do(SayCall call) {
    script_.said.push_back(call.request.text);
    script_.say(context(), std::move(call));
  }
  void Do(RecountCall call) { script_.recount(context(), std::move(call)); }
  void Do(GatherCall call) { script_.gather(context(), std::move(call)); }
  void Do(TalkCall call) { script_.talk(context(), std::move(call)); }

  Script& script_;
};

class SpeakerRef : public Ref<SpeakerRequest> {
 public:
  using Ref::Ref;
  Answer<Word> Say(std::string text, CallOptions options = {}) const {
    return Ask<SayCall>(Word{std::move(text)}, options);
  }
  AnswerStream<Word> Recount(std::string text, CallOptions options = {}) const {
    return Ask<RecountCall>(Word{std::move(text)}, options);
  }
  Upload<Word, Word> Gather(CallOptions options = {}) const { return Ask<GatherCall>(options); }
  Dialog<Word, Word> Talk(CallOptions options = {}) const { return Ask<TalkCall>(options); }
};

}  // namespace mainspring::testing

#endif  // MAINSPRING_TESTS_COMPONENTS_MAINSPRING_SPEAKER_H_
