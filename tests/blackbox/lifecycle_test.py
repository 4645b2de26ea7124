"""An operator at a terminal: grpcurl against the admin plane, and nothing but reflection."""

import re
import unittest

from harness import grpcurl, places
from harness.grpcurl_case import (ABORTED, ALREADY_EXISTS, FAILED_PRECONDITION, INVALID_ARGUMENT,
                                  NOT_FOUND, UNAVAILABLE, UNIMPLEMENTED, GrpcurlTestCase)

CLOCK = "mainspring.clock.v1.Clock"
TRIAL = "mainspring.trial.v1.Trial"
LIFECYCLE = "mainspring.lifecycle.v1.Lifecycle"
METHODS = ("ListComponents", "GetComponent", "StartComponent", "StopComponent", "RestartComponent",
           "PauseComponent", "ResumeComponent", "DrainComponent", "UndrainComponent",
           "WatchComponents", "GetOperation", "Drain", "GetDrainStatus", "ShutdownNow")
STATES = {"STOPPED", "STARTING", "RUNNING", "STOPPING", "BACKOFF", "FAILED"}
DURATION = r"^\d+(\.\d+)?s$"
TIMESTAMP = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$"


class OperatorTestCase(GrpcurlTestCase):
    def command(self, method, data=None, expect=0):
        """The JSON answer of an rpc of Lifecycle, or its error text."""
        path = f"{LIFECYCLE}/{method}"
        if expect:
            return self.ask(path, data=data or {}, address=self.host.admin, expect=expect)
        return self.ask_one(path, data or {}, address=self.host.admin)

    def component(self, name):
        return self.command("GetComponent", {"name": name})["component"]

    def assert_health(self, name, status):
        answer = self.ask_one("grpc.health.v1.Health/Check", {"service": name})
        self.assertEqual(answer, {"status": status}, f"expected {name!r} to be {status}")


class Product(OperatorTestCase):
    def test_List_ShowsTheClockAndTheProcess(self):
        answer = self.command("ListComponents")
        [clock] = answer["components"]
        self.assertEqual(
            {field: clock.get(field) for field in
             ("name", "type", "service", "state", "generation", "essential", "wanted", "paused")},
            {"name": "clock", "type": "clock", "service": CLOCK, "state": "RUNNING",
             "generation": "1", "essential": True, "wanted": True, "paused": None},
            "expected the clock as it is after the start of its host")
        self.assertEqual(clock["restartsLeft"], 4, "expected the fifth failure to be the last")
        self.assertEqual(clock["mailbox"]["capacity"], 1024, "expected the mailbox's capacity")
        self.assertEqual(answer["host"]["pid"], self.host.pid, "expected the pid of the host")
        for field in ("incarnation", "version", "startTime", "threads", "openDescriptors",
                      "residentBytes"):
            self.assertTrue(answer["host"].get(field), f"expected {field} of the process")

    def test_List_OfStates_ShowsThoseAlone(self):
        self.assertEqual(len(self.command("ListComponents", {"states": ["RUNNING"]})["components"]),
                         1, "expected the running clock")
        self.assertNotIn("components", self.command("ListComponents", {"states": ["FAILED"]}),
                         "expected nothing to have failed")
        self.assertNotIn("components", self.command("ListComponents", {"types": ["trial"]}),
                         "expected no component of another type")

    def test_Stop_RefusesCallsAndTurnsHealth_UntilStart(self):
        stopped = self.command("StopComponent", {"name": "clock"})
        self.assertEqual(stopped["steps"],
                         [{"action": "STOP", "component": "clock", "done": True}],
                         "expected the step that was taken")
        self.assertEqual(stopped["component"]["state"], "STOPPED", "expected the state after it")
        self.assertTrue(stopped["requestId"], "expected a request id to ask for the outcome with")
        error = self.ask(f"{CLOCK}/GetTime", data={}, expect=UNAVAILABLE)
        for words in ("clock", "STOPPED", "asked to stop"):
            self.assertIn(words, error, "expected component, state and reason")
        for name in (CLOCK, "clock", "readiness", ""):
            self.assert_health(name, "NOT_SERVING")
        self.assert_health("liveness", "SERVING")

        started = self.command("StartComponent", {"name": "clock"})
        self.assertEqual((started["component"]["state"], started["component"]["generation"]),
                         ("RUNNING", "2"), "expected a second instance")
        self.assertTrue(self.ask_one(f"{CLOCK}/GetTime", {})["rfc3339"], "expected the time again")
        for name in (CLOCK, "clock", "readiness", ""):
            self.assert_health(name, "SERVING")

    def test_CommandThatIsSoAlready_DoesNothing(self):
        self.assertNotIn("steps", self.command("StartComponent", {"name": "clock"}),
                         "expected nothing to be done for a component that runs")
        self.command("StopComponent", {"name": "clock"})
        self.assertNotIn("steps", self.command("StopComponent", {"name": "clock"}),
                         "expected nothing to be done for a component that is stopped")
        self.assertEqual(self.component("clock")["generation"], "1", "expected no other instance")

    def test_Restart_DryRun_ShowsTheSteps_AndChangesNothing(self):
        steps = [{"action": "STOP", "component": "clock"},
                 {"action": "START", "component": "clock"}]
        tried = self.command("RestartComponent",
                             {"name": "clock", "dry_run": True, "request_id": "tried"})
        self.assertEqual(tried["steps"], steps, "expected what would be done, not done")
        clock = self.component("clock")
        self.assertEqual((clock["state"], clock["generation"]), ("RUNNING", "1"),
                         "expected the dry run to change nothing")
        self.command("GetOperation", {"request_id": "tried"}, expect=NOT_FOUND)

        done = self.command("RestartComponent", {"name": "clock", "request_id": "tried"})
        self.assertEqual(done["steps"], [{**step, "done": True} for step in steps],
                         "expected the same steps, done")
        self.assertEqual(done["component"]["generation"], "2", "expected one restart")
        operation = self.command("GetOperation", {"request_id": "tried"})["operation"]
        self.assertEqual({field: operation.get(field) for field in
                          ("requestId", "command", "component", "phase", "generation")},
                         {"requestId": "tried", "command": "RESTART", "component": "clock",
                          "phase": "SUCCEEDED", "generation": "2"}, "expected the outcome")

    def test_Command_WithAnotherGeneration_IsAborted(self):
        error = self.command("StopComponent", {"name": "clock", "expected_generation": 7},
                             expect=ABORTED)
        for words in ("clock", "1", "7"):
            self.assertIn(words, error, "expected the generation that it is, and was to be")
        self.assertEqual(self.component("clock")["state"], "RUNNING", "expected it to run on")

    def test_RequestId_OfAnotherCommand_AlreadyExists(self):
        self.command("RestartComponent", {"name": "clock", "request_id": "mine"})
        error = self.command("StopComponent", {"name": "clock", "request_id": "mine"},
                             expect=ALREADY_EXISTS)
        for words in ("mine", "Restart", "clock"):
            self.assertIn(words, error, "expected the command whose request id it is")

    def test_RequestId_ThatIsTooLongOrUnprintable_IsInvalid(self):
        self.command("StartComponent", {"name": "clock", "request_id": "x" * 128})
        for request_id in ("x" * 129, "a\nb", "\u00e9"):
            error = self.command("StartComponent", {"name": "clock", "request_id": request_id},
                                 expect=INVALID_ARGUMENT)
            self.assertIn("request_id", error, "expected the field to be named")

    def test_UnknownOperation_IsNotFound(self):
        error = self.command("GetOperation", {"request_id": "nobodys"}, expect=NOT_FOUND)
        self.assertIn("nobodys", error, "expected the request id that there is not")

    def test_PauseOfAStoppedComponent_SaysWhatItIsFor(self):
        self.command("StopComponent", {"name": "clock"})
        for method in ("PauseComponent", "ResumeComponent", "DrainComponent", "UndrainComponent"):
            error = self.command(method, {"name": "clock"}, expect=FAILED_PRECONDITION)
            for words in ("clock", "STOPPED", "RUNNING"):
                self.assertIn(words, error, f"expected {method} to say what it is for")


class Planes(OperatorTestCase):
    def test_DataPlane_HasNoLifecycle(self):
        self.assertNotIn(LIFECYCLE, self.ask("list").split(), "expected no admin service in it")
        protos = [f"-import-path={places.REPOSITORY}/protos",
                  "-proto=mainspring/lifecycle/v1/lifecycle.proto"]
        for method in METHODS:
            self.ask(f"{LIFECYCLE}/{method}", options=protos, expect=UNIMPLEMENTED)
        self.assert_health("readiness", "SERVING")

    def test_AdminPlane_ListsAndDescribesLifecycle(self):
        self.assertIn(LIFECYCLE, self.ask("list", address=self.host.admin).split(),
                      "expected Lifecycle on the admin plane")
        self.assertEqual(set(self.ask("list", LIFECYCLE, address=self.host.admin).split()),
                         {f"{LIFECYCLE}.{method}" for method in METHODS}, "expected its methods")

    def test_NoMessage_HasBytes(self):
        """What is base64 in JSON is nothing that an operator reads."""
        seen, todo = set(), {f"mainspring.lifecycle.v1.{method}{kind}"
                             for method in METHODS for kind in ("Request", "Response")}
        while todo:
            message = todo.pop()
            seen.add(message)
            text = self.ask("describe", message, address=self.host.admin)
            self.assertNotRegex(text, r"\bbytes \w+ =", f"expected no bytes in {message}")
            todo |= set(re.findall(r"\.(mainspring\.lifecycle\.v1\.[\w.]+) \w+ =", text)) - seen
        self.assertIn("mainspring.lifecycle.v1.Component", seen, "expected to have seen them all")


class Names(OperatorTestCase):
    def start(self):
        return self.start_trial_host("--trials=mail,web,database?,spare-",
                                     "--trial-least-backoff=30s")

    def test_UnknownName_ListsTheKnownOnes_TheNearestFirst(self):
        for wrong, nearest in (("databas", "database"), ("wep", "web"), ("Mail", "mail"),
                               ("klock", "clock")):
            for method in ("GetComponent", "StartComponent", "StopComponent", "RestartComponent",
                           "PauseComponent", "DrainComponent"):
                error = self.command(method, {"name": wrong}, expect=NOT_FOUND)
                listed = re.findall(r"\w+", error.partition("there are:")[2])
                self.assertEqual(listed[:1], [nearest], f"expected the nearest first: {error}")
                self.assertEqual(set(listed), {"clock", "mail", "web", "database", "spare"},
                                 "expected all that there are")
                self.assertIn(f'"{wrong}"', error, "expected the name that there is not")

    def test_ComponentWithoutAutostart_WaitsForAnOperator(self):
        spare = self.component("spare")
        self.assertEqual((spare["state"], spare.get("generation", "0"), spare.get("wanted", False)),
                         ("STOPPED", "0", False), "expected no instance, and none wanted")
        self.assert_health("startup", "SERVING")
        options = ["-H", "mainspring-component: spare"]
        error = self.ask(f"{TRIAL}/Echo", data={"text": "hi"}, options=options, expect=UNAVAILABLE)
        for words in ("spare", "STOPPED"):
            self.assertIn(words, error, "expected component and state")
        self.command("StartComponent", {"name": "spare"})
        answer = self.ask_one(f"{TRIAL}/Echo", {"text": "hi"}, options=options)
        self.assertEqual(answer["component"], "spare", "expected it to serve now")

    def test_Json_ReadsWell(self):
        """States by name, times as times, and no field that says nothing to a person."""
        self.ask(f"{TRIAL}/Throw", data={"what": "a loose wire"}, expect=64 + 13,
                 options=["-H", "mainspring-component: database"])
        self.command("StopComponent", {"name": "web", "request_id": "for the night"})
        answer = self.command("ListComponents")
        by_name = {each["name"]: each for each in answer["components"]}
        self.assertEqual({name: each["state"] for name, each in by_name.items()},
                         {"clock": "RUNNING", "mail": "RUNNING", "web": "STOPPED",
                          "database": "BACKOFF", "spare": "STOPPED"}, "expected names of states")
        database = by_name["database"]
        self.assertRegex(database["reason"], r"^failed in .*Throw; started again in [\d.]+m?s$")
        self.assertIn("a loose wire", database["lastError"], "expected what was thrown")
        self.assertNotIn("recentFailures", database, "expected these where one is asked for")
        described = self.command("GetComponent", {"name": "database"})["component"]
        [failure] = described["recentFailures"]
        self.assertIn("Throw", failure["during"], "expected the method")
        self.assertRegex(failure["requestId"], r"^\w+$", "expected the caller's request id")
        self.assertRegex(database["nextRestartTime"], TIMESTAMP)
        for component in answer["components"]:
            self.assertIn(component["state"], STATES)
            if component["name"] != "spare":
                self.assertRegex(component["since"], TIMESTAMP)
            self.assertRegex(component["mailbox"]["oldestAge"], DURATION)
            self.assertRegex(component["thread"]["cpuTime"], DURATION)
            self.assertRegex(component["thread"]["inMethod"], DURATION)
            self.assertTrue(component["thread"]["id"], "expected the kernel's number")
        self.assertRegex(answer["host"]["startTime"], TIMESTAMP)
        operation = self.command("GetOperation", {"request_id": "for the night"})["operation"]
        self.assertEqual((operation["command"], operation["phase"]), ("STOP", "SUCCEEDED"))
        for field in ("startTime", "endTime"):
            self.assertRegex(operation[field], TIMESTAMP)
        progress = self.command("GetDrainStatus")["progress"]
        self.assertEqual(progress["phase"], "SERVING", "expected the phase by name")

    def test_Watch_ShowsASnapshotThenEvents(self):
        incarnation = self.command("ListComponents")["host"]["incarnation"]
        self.command("RestartComponent", {"name": "mail"})
        result = grpcurl.run(self.host.admin, f"{LIFECYCLE}/WatchComponents",
                             data={"incarnation": incarnation}, options=["-max-time", "0.5"])
        events = [message["event"] for message in grpcurl.messages(result.output)]
        mail = [f"{event['from']} {event['to']}" for event in events
                if event["component"] == "mail"]
        self.assertEqual(mail, ["STOPPED STARTING", "STARTING RUNNING", "RUNNING STOPPING",
                                "STOPPING STOPPED", "STOPPED STARTING", "STARTING RUNNING"],
                         "expected the way of the component since the start of the host")
        result = grpcurl.run(self.host.admin, f"{LIFECYCLE}/WatchComponents", data={},
                             options=["-max-time", "0.5"])
        [snapshot] = grpcurl.messages(result.output)
        self.assertEqual(len(snapshot["snapshot"]["components"]), 5, "expected all components")
        self.assertEqual(snapshot["snapshot"]["sequence"], events[-1]["sequence"],
                         "expected where the events stand")


if __name__ == "__main__":
    unittest.main(verbosity=2)
