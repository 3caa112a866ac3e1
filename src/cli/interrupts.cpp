#include "cli/interrupts.h"

#include <atomic>
#include <csignal>

namespace tandem::cli {

namespace {

std::atomic<bool> interrupted{false};

void on_interrupt(int) {
    interrupted = true;
}

}  // namespace

void listen_for_interrupts(std::initializer_list<int> signals) {
    struct sigaction action{};
    action.sa_handler = on_interrupt;
    sigemptyset(&action.sa_mask);
    for (const int signal : signals) sigaction(signal, &action, nullptr);
}

bool is_interrupted() {
    return interrupted;
}

void forget_interrupts() {
    interrupted = false;
}

}  // namespace tandem::cli
