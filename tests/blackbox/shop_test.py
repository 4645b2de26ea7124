"""The shop of tests/shop as a process, with a payments service elsewhere that it calls over gRPC."""

import concurrent.futures
import signal
import unittest

import grpc

from harness import grpcurl, places
from harness.case import HostTestCase
from harness.client import SOON
from harness.protos import health, shop

SHOP = places.BUILD / "tests" / "shop" / "shop"


class Payments(grpc.GenericRpcHandler):
    """Is away when it is first asked; keeps what it is asked, and the key of each."""

    def __init__(self):
        self.asked = []

    def service(self, handler_call_details):
        if handler_call_details.method != "/shop.v1.Payments/Charge":
            return None
        return grpc.unary_unary_rpc_method_handler(
            self.charge, shop.ChargeRequest.FromString, shop.Receipt.SerializeToString)

    def charge(self, request, context):
        key = dict(context.invocation_metadata()).get("idempotency-key")
        self.asked.append((request.card, request.cents, key))
        if len(self.asked) == 1:
            context.abort(grpc.StatusCode.UNAVAILABLE, "back in a moment")
        return shop.Receipt(number="R1")


class Shop(HostTestCase):
    def setUp(self):
        self.payments = Payments()
        server = grpc.server(concurrent.futures.ThreadPoolExecutor(2), [self.payments])
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        self.addCleanup(lambda: server.stop(grace=None).wait())
        self.host = self.start_host(f"--payments=127.0.0.1:{port}", binary=SHOP)
        self.channel = self.connect(self.host.data)
        self.inventory = shop.stub(self.channel, "Inventory")
        self.orders = shop.stub(self.channel, "Orders")

    def restock(self):
        box = shop.Box(item=shop.Item(sku="tea", units=3), unit_cents=250)
        self.assertEqual(self.inventory.Restock(iter([box]), timeout=SOON).units, 3)

    def place_order(self, units):
        request = shop.PlaceOrderRequest(item=shop.Item(sku="tea", units=units), card="4711")
        return self.orders.PlaceOrder(request, timeout=SOON)

    def test_Grpcurl_BuysWithPaymentElsewhere(self):
        grpcurl.require()
        self.restock()
        order = {"item": {"sku": "tea", "units": 2}, "card": "4711"}
        bought = grpcurl.run(self.host.data, "shop.v1.Orders/PlaceOrder", data=order,
                             options=("-H", "idempotency-key: 42"))
        self.assertEqual(bought.exit, 0, bought.error)
        self.assertEqual(grpcurl.messages(bought.output),
                         [{"number": "1", "item": order["item"], "receipt": "R1"}])
        self.assertEqual(self.payments.asked, [("4711", 500, "42")] * 2,
                         "expected one more try, with the customer's key")
        refused = self.assert_fails(grpc.StatusCode.FAILED_PRECONDITION,
                                    lambda: self.place_order(2), "two of one")
        self.assertIn(b"OUT_OF_STOCK", dict(refused.trailing_metadata())["grpc-status-details-bin"],
                      "expected the reason among the details")

    def test_Streams_TellOfTheStockAndOfWhatIsPacked(self):
        self.restock()
        stock = self.inventory.WatchStock(shop.Sku(sku="tea"), timeout=SOON)
        self.assertEqual(next(stock).units, 3)
        number = self.place_order(1).number
        self.assertEqual(next(each.units for each in stock if each.units != 3), 2)
        stock.cancel()
        worker = shop.stub(self.channel, "Worker")
        packed = worker.Pack(iter([shop.OrderNumber(number=number)]), timeout=SOON)
        self.assertEqual([each.shipped for each in packed], [True])

    def test_Sigterm_AnswersTheLongPoll(self):
        self.restock()
        number = self.place_order(1).number
        poll = self.orders.AwaitShipment.future(shop.OrderNumber(number=number), timeout=SOON)
        self.pass_ingress(health.stub(self.channel, "Health"))
        self.host.signal(signal.SIGTERM)
        self.assertFalse(poll.result().shipped, "expected the poll to be told what is known")
        self.assertEqual(self.assert_exit(self.host, 0)["cut_calls"], 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
