/**
 * C++ that is compiled into the binding: signals are handled by other threads than the one that loads it.
 *
 * A product of matrices in TensorFlow (seen in 2.21, float32, AVX-512) does not survive a signal handler on its thread:
 * memory is corrupted. Operations run on Node's main thread, which is also the one that the system prefers for Ctrl-C,
 * the resizing of a terminal and other signals that Node handles. With these blocked there, the system chooses one of
 * Node's or V8's other threads, and Node's handler only passes the number on. Child processes start with nothing
 * blocked; faults are not blocked.
 */
export const SIGNAL_MASK = `
#include <signal.h>

__attribute__((constructor)) static void MaskSignals() {
  sigset_t signals;
  sigfillset(&signals);
  const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS};
  for (int fault : faults) sigdelset(&signals, fault);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}
`;
