// The answers that the hand-written services of this benchmark give, so that what differs between
// them is the way of a call and nothing else.
//
// All functions here: any thread, no blocking, no logging, no state of their own.
#ifndef MAINSPRING_TESTS_BENCH_ANSWER_H_
#define MAINSPRING_TESTS_BENCH_ANSWER_H_

#include "mainspring/clock/v1/clock.pb.h"

namespace mainspring::bench {

// What the in-process contestants are given to answer with.
using AnswerFunction = clock::v1::GetTimeResponse (*)(const clock::v1::GetTimeRequest&);

// Fills in every field of a GetTimeResponse, as the Clock component does: time now, offset of the
// time zone, RFC 3339 text with nanoseconds, name of the time zone. `response` may be one that was
// answered before; its memory is used again.
//
// False, and `response` unspecified: the time zone is not in the IANA database.
bool AnswerInFull(const clock::v1::GetTimeRequest& request, clock::v1::GetTimeResponse& response);

// As little work as can be checked by the caller: the answer names the time zone asked for.
inline clock::v1::GetTimeResponse AnswerLightly(const clock::v1::GetTimeRequest& request) {
  clock::v1::GetTimeResponse response;
  response.set_time_zone(request.time_zone());
  return response;
}

}  // namespace mainspring::bench

#endif  // MAINSPRING_TESTS_BENCH_ANSWER_H_
