// Word that a request is not wanted any more, and who must hear it. One thread.
#pragma once

#include <functional>
#include <list>
#include <utility>

namespace tandem::net {

class Cancel {
  public:
    enum class Reason { none, client_gone, cancelled, stopping, not_needed };  // cancelled: its client said so

    // Keeps a function registered for as long as it lives; it must not outlive the Cancel.
    class Hook {
      public:
        Hook() = default;
        Hook(const Hook&) = delete;
        Hook& operator=(const Hook&) = delete;
        ~Hook() { release(); }
        void release() {
            if (cancel_ != nullptr) cancel_->hooks_.remove(this);
            cancel_ = nullptr;
        }

      private:
        friend class Cancel;
        Cancel* cancel_ = nullptr;
        std::function<void()> call_;
    };

    Cancel() = default;
    Cancel(const Cancel&) = delete;
    Cancel& operator=(const Cancel&) = delete;

    bool fired() const { return reason_ != Reason::none; }
    Reason reason() const { return reason_; }

    // Calls every hook once. Later calls do nothing.
    void fire(Reason reason) {
        if (fired()) return;
        reason_ = reason;
        while (!hooks_.empty()) {
            Hook* const hook = hooks_.front();
            hooks_.pop_front();
            hook->cancel_ = nullptr;
            const auto call = std::move(hook->call_);
            call();
        }
    }

    // `call` runs when this fires; at once where it has fired already.
    void on_fire(Hook& hook, std::function<void()> call) {
        hook.release();
        if (fired()) {
            call();
            return;
        }
        hook.cancel_ = this;
        hook.call_ = std::move(call);
        hooks_.push_back(&hook);
    }

  private:
    Reason reason_ = Reason::none;
    std::list<Hook*> hooks_;
};

}  // namespace tandem::net
