#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cookbook/v1/cookbook.component.pb.h"

namespace cookbook {

// A connection to a database, of the shape that libpq and sqlite3 have: each call blocks until the
// server has answered, and one thread at a time may call.
class Database {
 public:
  virtual ~Database() = default;
  virtual absl::StatusOr<int64_t> Balance(const std::string& account) = 0;
};

class Ledger final : public v1::LedgerComponent {
 public:
  // Connections of this instance alone: on those of one before it, a query may still run.
  Ledger(mainspring::Context& context, const std::function<std::shared_ptr<Database>()>& connect,
         int connections)
      : LedgerComponent(context) {
    for (int i = 0; i < connections; ++i) idle_.push_back(connect());
  }

  void GetBalance(v1::GetBalanceRequest request,
                  mainspring::Reply<v1::GetBalanceResponse> reply) override {
    if (idle_.empty()) {
      reply.Fail(absl::ResourceExhaustedError("all connections to the database are in use"));
      co_return;
    }
    const std::shared_ptr<Database> database = std::move(idle_.back());
    idle_.pop_back();
    const absl::StatusOr<int64_t> cents =
        co_await context().RunBlocking(&Database::Balance, database, request.account());
    idle_.push_back(database);
    if (!cents.ok()) {
      reply.Fail(cents.status());
      co_return;
    }
    v1::GetBalanceResponse response;
    response.set_cents(*cents);
    reply.Send(std::move(response));
  }

 private:
  std::vector<std::shared_ptr<Database>> idle_;
};

}  // namespace cookbook
