"""Brings the lifecycle nodes up in order, and watches the signs of life of all that move the robot.

    python -m mmrobot.ros.manager_node

When a node falls silent for a little longer than the heartbeat's give_up_s, or comes back as another start of
itself, the robot is stopped by `stop_all`; nothing goes on by itself after it. A node that is started again
(by `mmrobot up`, by launch's respawn, by hand) is brought back to active. What was deactivated by hand is
left so. Where Nav2's lifecycle manager, or another, runs instead, leave this node out.
"""

from __future__ import annotations

from functools import partial

from rcl_interfaces.msg import ParameterEvent
from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from std_msgs.msg import Empty

from mmrobot.errors import ExecutionFailedError, RobotUnavailableError
from mmrobot.ros.bringup_order import BringupOrder
from mmrobot.ros.heartbeat import CATCH_UP_S, Heartbeat, HeartbeatMonitor
from mmrobot.ros.lifecycle_client import LifecycleClient
from mmrobot.ros.node_process import run_node
from mmrobot.ros.parameters import declare, declare_config
from mmrobot.ros.qos import COMMAND, STATE
from mmrobot.ros.status import StatusPublisher

TURN_S = 0.1
TOLD_FIRST_S = 0.5
"""Who works with a silent node gives up by itself, and says why better than a stop does."""
POLL_EVERY = 3


class ManagerNode(Node):
    """Watches, stops, brings up. It starts no processes: whoever started them does."""

    def __init__(self) -> None:
        super().__init__("manager")
        config = declare_config(self)
        managed = declare(self, "managed", ["executor", "vlm"], "lifecycle nodes, in the order of activation")
        self._watched: list[str] = list(
            declare(
                self, "watched", ["arm_server", "executor", "vlm"], "nodes whose silence stops the robot"
            )
        )
        self._limit_s = config.heartbeat.give_up_s + TOLD_FIRST_S
        self._status = StatusPublisher(self)
        self._stop_out = self.create_publisher(Empty, "stop_all", COMMAND)
        self._monitor = HeartbeatMonitor(self, TURN_S, CATCH_UP_S)
        self._lives: dict[str, str] = {}
        self._silent: set[str] = set()
        self._order = BringupOrder(managed)
        self._told_up = False
        self._told_failed: list[str] = []
        self._turns = 0
        group = MutuallyExclusiveCallbackGroup()
        self._lifecycles = {name: LifecycleClient(self, name, group) for name in managed}
        self.create_subscription(
            ParameterEvent, "/parameter_events", self._hear_change, STATE, callback_group=group
        )
        self.create_timer(
            TURN_S, self._turn, callback_group=group, clock=Clock(clock_type=ClockType.STEADY_TIME)
        )
        self._heartbeat = Heartbeat(self, "manager")

    def close(self) -> None:
        """End the beat."""
        self._heartbeat.close()

    def _turn(self) -> None:
        self._monitor.turn()
        self._watch()
        if self._turns % POLL_EVERY == 0:
            for client in self._lifecycles.values():
                client.poll()
        self._turns += 1
        self._bring_up()

    def _watch(self) -> None:
        for name, life in self._monitor.lives(self._watched).items():
            known = self._lives.setdefault(name, life)
            silent = bool(self._monitor.missing([name], self._limit_s))
            if life != known:
                self._lives[name] = life
                if name not in self._silent:
                    self._stop_for(f"'{name}' has started anew")
                self._silent.discard(name)
            elif silent and name not in self._silent:
                self._silent.add(name)
                self._stop_for(f"no heartbeat of '{name}' for over {self._limit_s:g} s")
            elif not silent and name in self._silent:
                self._silent.discard(name)
                self._status.report("heard_again", f"'{name}' is heard again", part=name)

    def _stop_for(self, reason: str) -> None:
        """Who holds the arm has heard the silence before; a robot that only knows `stop_all` has not."""
        self._stop_out.publish(Empty())
        fix = "it is brought up again once its process is started"
        self._status.report("lost", f"the robot is stopped: {reason}", RobotUnavailableError(reason, fix))

    def _bring_up(self) -> None:
        lives = self._monitor.lives(self._lifecycles)
        for name, client in self._lifecycles.items():
            client.know_life(lives.get(name, ""))
        states = {name: client.state for name, client in self._lifecycles.items()}
        for name, transition in self._order.next(states, lives):
            self.get_logger().info(f"{transition} {name}")
            self._lifecycles[name].request(transition, partial(self._answered, name))
        self._tell_failed()
        up = self._order.settled() and all(state == "active" for state in states.values())
        if up != self._told_up:
            self._told_up = up
            names = ", ".join(states)
            self._status.report("up" if up else "not_up", f"{names}: {'all' if up else 'not all'} active")

    def _answered(self, name: str, success: bool) -> None:
        client = self._lifecycles[name]
        client.forget()
        client.poll()
        self._order.answered(name, success)

    def _tell_failed(self) -> None:
        failed = self._order.failed()
        for name in set(failed) - set(self._told_failed):
            error = ExecutionFailedError(
                f"'{name}' could not be brought up", "see its status; mend it, then set its parameter anew"
            )
            self._status.report("bringup_failed", error.message, error)
        self._told_failed = failed

    def _hear_change(self, event: ParameterEvent) -> None:
        for name in self._lifecycles:
            changed = event.node == self.resolve_service_name(name) and event.changed_parameters
            if changed and self._order.try_again(name):
                self.get_logger().info(f"a parameter of '{name}' was set: it is tried again")


def main() -> int:
    """Run the node."""
    return run_node(ManagerNode, threads=3)


if __name__ == "__main__":
    raise SystemExit(main())
