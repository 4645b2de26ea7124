#include <algorithm>

#include "mainspring/host.h"
#include "weather/v1/weather.binding.pb.h"

class Weather final : public weather::v1::WeatherComponent,
                      public mainspring::Configurable<weather::v1::WeatherConfig> {
 public:
  using WeatherComponent::WeatherComponent;
  void Apply(weather::v1::WeatherConfig config) override { config_ = config; }

  void Record(weather::v1::RecordRequest request,
              mainspring::Reply<weather::v1::RecordResponse> reply) override {
    sum_ += request.celsius();
    ++count_;
    weather::v1::RecordResponse response;
    response.set_mean(sum_ / count_);
    reply.Send(std::move(response));
  }

  void Forecast(weather::v1::ForecastRequest request,
                mainspring::ReplyStream<weather::v1::ForecastResponse> replies) override {
    if (count_ == 0) {
      replies.Finish(absl::FailedPreconditionError("nothing recorded"));
      return;
    }
    for (int day = 1; day <= std::min(request.days(), config_.most_days()); ++day) {
      weather::v1::ForecastResponse response;
      response.set_day(day);
      response.set_celsius(sum_ / count_);
      if (replies.Write(std::move(response)) != mainspring::WriteResult::kAccepted) break;
    }
    replies.Finish();
  }

 private:
  weather::v1::WeatherConfig config_;
  double sum_ = 0;
  int count_ = 0;
};

int main(int argc, char** argv) {
  return mainspring::HostMain(argc, argv, {weather::v1::WeatherType<Weather>("weather")});
}
