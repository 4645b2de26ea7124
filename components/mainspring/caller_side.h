// CallerSide: the caller's side of one call, as what carries the call knows it: who calls, what
// came with the call, and where the metadata of its answer goes.
#ifndef MAINSPRING_CALLER_SIDE_H_
#define MAINSPRING_CALLER_SIDE_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "mainspring/metadata.h"

namespace mainspring {

// Its methods are CallContext's of the same names, which hand on to it. The defaults are those of a
// caller in this process who has said nothing. Any thread.
class CallerSide {
 public:
  virtual std::string Peer() const { return "process"; }
  virtual std::string Principal() const { return ""; }
  virtual std::string Authority() const { return ""; }
  virtual std::vector<Metadatum> AllMetadata() const { return {}; }
  virtual std::vector<std::string> MetadataValues(absl::string_view key) const;
  virtual bool AddHeader(Metadatum /*header*/) { return false; }
  virtual bool AddTrailer(Metadatum /*trailer*/) { return false; }

  // One of those who have said nothing.
  static CallerSide& Silent();

 protected:
  ~CallerSide() = default;
};

}  // namespace mainspring

#endif  // MAINSPRING_CALLER_SIDE_H_
