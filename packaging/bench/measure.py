"""Times programs that are started afresh for every call, as credential helpers are."""
import os
import random
import re
import statistics
import subprocess
import time


class Program:
    """A command and what it reads."""

    def __init__(self, *command, given=""):
        self.command = [str(word) for word in command]
        self.given = given


class Measure:
    def __init__(self, session, tools):
        self.session = session
        self.tools = tools
        self._inputs = {}

    def _input(self, text):
        if text not in self._inputs:
            path = f"{self.session.directory}/input{len(self._inputs)}"
            with open(path, "w") as file:
                file.write(text)
            self._inputs[text] = path
        return self._inputs[text]

    def start(self, program, **more):
        actions = [(os.POSIX_SPAWN_OPEN, 0, self._input(program.given), os.O_RDONLY, 0),
                   (os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0)]
        return os.posix_spawn(
            program.command[0], program.command, {**self.session.environment, **more},
            file_actions=actions)

    def once(self, program, **more):
        """One call: milliseconds on the clock, and on the processor."""
        start = time.perf_counter_ns()
        _, status, usage = os.wait4(self.start(program, **more), 0)
        took = (time.perf_counter_ns() - start) / 1e6
        if status:
            raise SystemExit(f"bench: {program.command} ended with {status}")
        return took, (usage.ru_utime + usage.ru_stime) * 1e3

    def rounds(self, steps, count, warm_up=5):
        """Runs every program's steps once a round, the programs in a new order each round.

        steps: name -> list of programs; returns name -> list (per step) of times in ms.
        """
        times = {name: [[] for _ in programs] for name, programs in steps.items()}
        names = list(steps)
        for number in range(count + warm_up):
            random.shuffle(names)
            for name in names:
                for index, program in enumerate(steps[name]):
                    took, _ = self.once(program)
                    if number >= warm_up:
                        times[name][index].append(took)
        return times

    def crowd(self, program, size):
        """Many at once: milliseconds until the last one ends, and on the processor in all."""
        start = time.perf_counter_ns()
        children = [self.start(program) for _ in range(size)]
        busy = 0.0
        for child in children:
            _, status, usage = os.wait4(child, 0)
            busy += (usage.ru_utime + usage.ru_stime) * 1e3
            if status:
                raise SystemExit(f"bench: one of many {program.command} ended with {status}")
        return (time.perf_counter_ns() - start) / 1e6, busy

    def cold(self, program):
        """One call after the program and its libraries have left the page cache, as far as no
        other program uses them: milliseconds."""
        for path in [program.command[0], *libraries(program.command[0])]:
            file = os.open(os.path.realpath(path), os.O_RDONLY)
            os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(file)
        return self.once(program)[0]

    def peak(self, program):
        """Peak resident memory in megabytes."""
        done = subprocess.run(
            [self.tools["peak"], *program.command], env=self.session.environment,
            input=program.given.encode(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        return int(done.stderr.split()[-1]) / 1024

    def instructions(self, program):
        """Millions of instructions in user space, by callgrind."""
        done = subprocess.run(
            ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", *program.command],
            env=self.session.environment, input=program.given.encode(),
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        found = re.search(rb"Collected : (\d+)", done.stderr)
        return int(found[1]) / 1e6 if found else None


def libraries(path):
    """The shared libraries that a program loads, without the loader and the kernel's page."""
    done = subprocess.run(["ldd", path], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return [line.split()[2].decode() for line in done.stdout.splitlines() if b"=> /" in line]


def median(values):
    return statistics.median(values)


def p90(values):
    return sorted(values)[int(0.9 * len(values))]
