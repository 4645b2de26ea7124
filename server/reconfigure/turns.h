// Turns: who does what only one may do at a time, in the order in which they came. For coroutines
// of one component: nobody blocks.
#ifndef MAINSPRING_SERVER_RECONFIGURE_TURNS_H_
#define MAINSPRING_SERVER_RECONFIGURE_TURNS_H_

#include <deque>

#include "mainspring/answer.h"
#include "mainspring/blocking.h"
#include "mainspring/reply.h"

namespace mainspring {

// One thread only.
class Turns {
 public:
  // There once it is the caller's turn, who then must Give it on. RESOURCE_EXHAUSTED: a hundred
  // wait already.
  Answer<Nothing> Take();
  void Give();

 private:
  bool taken_ = false;
  std::deque<Reply<Nothing>> waiting_;
};

}  // namespace mainspring

#endif  // MAINSPRING_SERVER_RECONFIGURE_TURNS_H_
