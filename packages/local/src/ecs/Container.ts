/**
 * A task's container: here, a process of Node that runs the image's entry point.
 */
import { type ChildProcess, fork } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

export interface ContainerSettings {
  /** The module that is the image's entry point. */
  readonly file: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Gets what it prints, line by line. */
  readonly onLine: (line: string, pid: number) => void;
}

/** How a container ended, as ECS tells it: a signal is a code of 128 and its number. */
export interface ContainerExit {
  readonly exitCode: number;
  readonly reason?: string;
}

const signalNumbers: Readonly<Record<string, number>> = {
  SIGABRT: 6,
  SIGINT: 2,
  SIGKILL: 9,
  SIGSEGV: 11,
  SIGTERM: 15,
};

export class Container {
  readonly #child: ChildProcess;
  readonly #ended: Promise<ContainerExit>;
  #killTimer: NodeJS.Timeout | undefined;

  constructor({ environment, file, onLine }: ContainerSettings) {
    const child = fork(fileURLToPath(new URL("taskProcess.ts", import.meta.url)), [file], {
      env: { ...process.env, ...environment },
      stdio: ["ignore", "pipe", "pipe", "ipc"],
      execArgv: ["--disable-warning=ExperimentalWarning"],
    });
    this.#child = child;
    for (const output of [child.stdout, child.stderr]) {
      if (output) {
        createInterface({ input: output }).on("line", (line) => onLine(line, child.pid ?? 0));
      }
    }
    this.#ended = new Promise((resolve) => {
      child.once("exit", (code, signal) => {
        clearTimeout(this.#killTimer);
        resolve({ exitCode: code ?? 128 + (signalNumbers[signal ?? ""] ?? 0) });
      });
      // No process to be had.
      child.once("error", (error) => {
        resolve({ exitCode: 1, reason: `CannotStartContainerError: ${error.message}` });
      });
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get ended(): Promise<ContainerExit> {
    return this.#ended;
  }

  /** SIGTERM, and SIGKILL when that did not help in time. */
  stop(timeoutMs: number): void {
    this.#child.kill("SIGTERM");
    this.#killTimer ??= setTimeout(() => this.#child.kill("SIGKILL"), timeoutMs);
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }
}
