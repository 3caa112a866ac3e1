#include "engine/sandbox/filter.h"

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <cerrno>
#include <cstddef>

namespace tandem::engine::sandbox {

namespace {

#if defined(__x86_64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
#else
#error "an engine's system calls are known for x86-64 and aarch64 alone"
#endif

constexpr std::uint32_t kAllow = SECCOMP_RET_ALLOW, kKill = SECCOMP_RET_KILL_PROCESS;
constexpr std::uint32_t refuse(int why) {
    return SECCOMP_RET_ERRNO | static_cast<std::uint32_t>(why);
}

// Calls that no engine makes. Numbers from 424 on are the same on every architecture; an old header may not have them.
constexpr int kNever[] = {
    // other processes
    SYS_ptrace, SYS_process_vm_readv, SYS_process_vm_writev, SYS_kcmp, SYS_migrate_pages, 424 /* pidfd_send_signal */,
    434 /* pidfd_open */, 438 /* pidfd_getfd */, 440 /* process_madvise */, 448 /* process_mrelease */,
    // file systems and namespaces
    SYS_mount, SYS_umount2, SYS_pivot_root, SYS_chroot, SYS_setns, SYS_unshare, SYS_swapon, SYS_swapoff, SYS_quotactl,
    SYS_acct, SYS_fanotify_init, SYS_name_to_handle_at, SYS_open_by_handle_at, 428 /* open_tree */,
    429 /* move_mount */, 430 /* fsopen */, 431 /* fsconfig */, 432 /* fsmount */, 433 /* fspick */,
    442 /* mount_setattr */, 443 /* quotactl_fd */, 467 /* open_tree_attr */,
    // the kernel's larger surfaces
    SYS_bpf, SYS_perf_event_open, SYS_userfaultfd, SYS_add_key, SYS_request_key, SYS_keyctl, 425 /* io_uring_setup */,
    426 /* io_uring_enter */, 427 /* io_uring_register */, SYS_init_module, SYS_finit_module, SYS_delete_module,
    SYS_kexec_load, SYS_reboot, SYS_syslog, SYS_personality, SYS_vhangup, SYS_lookup_dcookie, SYS_nfsservctl,
#ifdef SYS_kexec_file_load
    SYS_kexec_file_load,
#endif
#ifdef SYS_iopl
    SYS_iopl, SYS_ioperm, SYS_modify_ldt, SYS_uselib, SYS_sysfs, SYS__sysctl,
#endif
    // the machine's clock and name
    SYS_settimeofday, SYS_clock_settime, SYS_adjtimex, SYS_clock_adjtime, SYS_sethostname, SYS_setdomainname,
    // shared memory and queues of System V, which others of this user see
    SYS_shmget, SYS_shmat, SYS_shmctl, SYS_msgget, SYS_msgsnd, SYS_msgrcv, SYS_semget, SYS_semop, SYS_mq_open,
    SYS_mq_unlink};

// Calls that change a file, or watch it, by its path.
constexpr int kByPath[] = {
    SYS_truncate,
    SYS_fchmodat,
    SYS_fchownat,
    SYS_setxattr,
    SYS_lsetxattr,
    SYS_removexattr,
    SYS_lremovexattr,
    SYS_inotify_add_watch,
    452 /* fchmodat2 */,
    463 /* setxattrat */,
    466 /* removexattrat */,
    469 /* file_setattr */,
#ifdef SYS_chmod
    SYS_chmod,
    SYS_chown,
    SYS_lchown,
    SYS_utime,
    SYS_utimes,
    SYS_futimesat,
#endif
};

// Those by which a socket leads somewhere.
constexpr int kConnects[] = {SYS_connect, SYS_sendmsg, SYS_sendmmsg};

// fcntl and ioctl by which a process has signals sent to another, or types into a terminal.
constexpr std::uint32_t kFcntl[] = {8 /* F_SETOWN */, 10 /* F_SETSIG */, 15 /* F_SETOWN_EX */};
constexpr std::uint32_t kIoctl[] = {0x5412 /* TIOCSTI */, 0x541C /* TIOCLINUX */, 0x8901 /* FIOSETOWN */,
                                    0x8902 /* SIOCSPGRP */};

// Writes the program: for each call a comparison, and behind it what that call's arguments decide.
class Program {
  public:
    explicit Program(Filter& filter) : filter_(filter) {}

    void load(std::size_t offset) { put(BPF_LD | BPF_W | BPF_ABS, 0, 0, static_cast<std::uint32_t>(offset)); }
    void load_number() { load(offsetof(seccomp_data, nr)); }
    // The lower and the upper half of an argument; little-endian.
    void load_low(int argument) { load(offsetof(seccomp_data, args) + static_cast<std::size_t>(argument) * 8); }
    void load_high(int argument) { load(offsetof(seccomp_data, args) + static_cast<std::size_t>(argument) * 8 + 4); }
    void give(std::uint32_t verdict) { put(BPF_RET | BPF_K, 0, 0, verdict); }
    // Gives a verdict where the accumulator is this; goes on where it is not.
    void give_if(std::uint32_t value, std::uint32_t verdict) {
        put(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, value);
        give(verdict);
    }
    void mask(std::uint32_t bits) { put(BPF_ALU | BPF_AND | BPF_K, 0, 0, bits); }
    void give_if_own_pid(std::uint32_t verdict) {
        filter_.pid_places.push_back(filter_.program.size());
        give_if(0, verdict);
    }
    void give_unless(std::uint32_t value, std::uint32_t verdict) {
        put(BPF_JMP | BPF_JEQ | BPF_K, 1, 0, value);
        give(verdict);
    }
    void give_unless_any_bit(std::uint32_t bits, std::uint32_t verdict) {
        put(BPF_JMP | BPF_JSET | BPF_K, 1, 0, bits);
        give(verdict);
    }
    void give_if_any_bit(std::uint32_t bits, std::uint32_t verdict) {
        put(BPF_JMP | BPF_JSET | BPF_K, 0, 1, bits);
        give(verdict);
    }
    // What `decide` writes is for this call alone, and gives a verdict in the end.
    template <typename Decide>
    void for_call(int number, Decide decide) {
        const auto at = filter_.program.size();
        put(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, static_cast<std::uint32_t>(number));
        decide();
        filter_.program[at].jf = static_cast<std::uint8_t>(filter_.program.size() - at - 1);
    }

  private:
    void put(std::uint16_t code, std::uint8_t yes, std::uint8_t no, std::uint32_t value) {
        filter_.program.push_back({code, yes, no, value});
    }
    Filter& filter_;
};

// Landlock does not look at who may read a file, at times and at attributes, and only from version 3 on at truncation,
// for which a file may be opened that is read alone.
void write_files(Program& p) {
    for (const int call : kByPath) p.for_call(call, [&] { p.give(refuse(EPERM)); });
    p.for_call(SYS_utimensat, [&] {
        p.load_low(1);
        p.give_unless(0, refuse(EPERM));
        p.load_high(1);
        p.give_unless(0, refuse(EPERM));
        p.give(kAllow);  // of a file that is open
    });
    auto look_at_flags = [&](int argument) {
        p.load_low(argument);
        p.mask(O_TRUNC | O_ACCMODE);
        p.give_if(O_TRUNC | O_RDONLY, refuse(EPERM));
        p.give(kAllow);
    };
    p.for_call(SYS_openat, [&] { look_at_flags(2); });
#ifdef SYS_open
    p.for_call(SYS_open, [&] { look_at_flags(1); });
#endif
    p.for_call(437 /* openat2 */, [&] { p.give(refuse(ENOSYS)); });  // its flags are behind a pointer
}

// Servers in other languages than C++ answer by sendmsg. On a stream its address counts for nothing, but for a
// connection that is begun with the first bytes (MSG_FASTOPEN), so there are no sockets but streams.
void write_streams(Program& p, const Policy& policy) {
    constexpr std::uint32_t kKind = 0xF;  // of a socket's type, beside its flags
    constexpr std::uint32_t kFastOpen = 0x20000000;
    for (const int call : {static_cast<int>(SYS_connect), static_cast<int>(SYS_sendmmsg)})
        p.for_call(call, [&] { p.give(refuse(EPERM)); });
    const auto without_fast_open = [&](int call, int flags) {
        p.for_call(call, [&] {
            p.load_low(flags);
            p.give_if_any_bit(kFastOpen, refuse(EPERM));
            p.give(kAllow);
        });
    };
    without_fast_open(SYS_sendmsg, 2);
    without_fast_open(SYS_sendto, 3);
    p.for_call(SYS_socket, [&] {
        p.load_low(1);
        p.mask(kKind);
        p.give_unless(SOCK_STREAM, refuse(EAFNOSUPPORT));
        p.load_low(0);
        p.give_if(AF_UNIX, kAllow);
        if (policy.listens) p.give_if(AF_INET, kAllow);
        if (policy.listens) p.give_if(AF_INET6, kAllow);
        p.give(refuse(EAFNOSUPPORT));
    });
    p.for_call(SYS_socketpair, [&] {
        p.load_low(0);
        p.give_if(AF_UNIX, kAllow);
        p.give(refuse(EAFNOSUPPORT));
    });
}

void write_sockets(Program& p, const Policy& policy) {
    if (policy.network) return;
    if (policy.listens || policy.runs_programs) return write_streams(p, policy);
    for (const int call : kConnects) p.for_call(call, [&] { p.give(refuse(EPERM)); });
    // send(2) is this call without an address.
    p.for_call(SYS_sendto, [&] {
        p.load_low(4);
        p.give_unless(0, refuse(EPERM));
        p.load_high(4);
        p.give_unless(0, refuse(EPERM));
        p.give(kAllow);
    });
    for (const int call : {static_cast<int>(SYS_socket), static_cast<int>(SYS_socketpair)})
        p.for_call(call, [&] {
            p.load_low(0);
            p.give_if(AF_UNIX, kAllow);
            p.give(refuse(EAFNOSUPPORT));
        });
}

void write_signals(Program& p, const Policy& policy, bool has_pid_namespace) {
    if (has_pid_namespace && policy.runs_programs) return;  // there is nobody but its own
    p.for_call(SYS_kill, [&] {
        p.load_low(0);
        p.give_if_own_pid(kAllow);
        p.give_if(0, kAllow);  // its own group
        p.give(refuse(EPERM));
    });
    for (const int call :
         {static_cast<int>(SYS_tgkill), static_cast<int>(SYS_rt_sigqueueinfo), static_cast<int>(SYS_rt_tgsigqueueinfo)})
        p.for_call(call, [&] {
            p.load_low(0);
            p.give_if_own_pid(kAllow);
            p.give(refuse(EPERM));
        });
    if (!has_pid_namespace) p.for_call(SYS_tkill, [&] { p.give(refuse(EPERM)); });
    p.for_call(SYS_prlimit64, [&] {
        p.load_low(0);
        p.give_if(0, kAllow);
        p.give_if_own_pid(kAllow);
        p.give(refuse(EPERM));
    });
}

void write_programs(Program& p, const Policy& policy, std::uint64_t cookie) {
    // Its flags are behind a pointer, where a filter cannot look: the C library then takes clone.
    p.for_call(435 /* clone3 */, [&] { p.give(refuse(ENOSYS)); });
    constexpr std::uint32_t kNamespaces =
        CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP;
    p.for_call(SYS_clone, [&] {
        p.load_low(0);
        p.give_if_any_bit(kNamespaces, refuse(EPERM));
        if (!policy.runs_programs) p.give_unless_any_bit(CLONE_THREAD, refuse(EPERM));
        p.give(kAllow);
    });
    if (policy.runs_programs) return;
#ifdef SYS_fork
    for (const int call : {static_cast<int>(SYS_fork), static_cast<int>(SYS_vfork)})
        p.for_call(call, [&] { p.give(refuse(EPERM)); });
#endif
    p.for_call(SYS_execve, [&] { p.give(refuse(EPERM)); });
    p.for_call(SYS_execveat, [&] {
        p.load_low(0);
        p.give_unless(static_cast<std::uint32_t>(cookie), refuse(EPERM));
        p.load_high(0);
        p.give_unless(static_cast<std::uint32_t>(cookie >> 32), refuse(EPERM));
        p.give(kAllow);
    });
}

}  // namespace

std::uint32_t own_architecture() {
    return kArchitecture;
}

Filter filter_for(const Policy& policy, std::uint64_t cookie, const Layers& layers) {
    Filter filter;
    Program p(filter);
    p.load(offsetof(seccomp_data, arch));
    p.give_unless(kArchitecture, kKill);
    p.load_number();
    for (const int call : kNever) p.for_call(call, [&] { p.give(refuse(EPERM)); });
    write_sockets(p, policy);
    write_signals(p, policy, layers.namespaces);
    if (!layers.mounts) write_files(p);
    write_programs(p, policy, cookie);
    p.for_call(SYS_fcntl, [&] {
        p.load_low(1);
        for (const auto command : kFcntl) p.give_if(command, refuse(EPERM));
        p.give(kAllow);
    });
    p.for_call(SYS_ioctl, [&] {
        p.load_low(1);
        for (const auto command : kIoctl) p.give_if(command, refuse(EPERM));
        p.give(kAllow);
    });
    // x86-64 knows each call by a second number, with this bit (x32).
    p.give_if_any_bit(0x40000000, kKill);
    p.give(kAllow);
    return filter;
}

std::uint32_t verdict(const Filter& filter, std::uint32_t architecture, int number,
                      const std::uint64_t (&arguments)[6]) {
    seccomp_data data{};
    data.nr = number;
    data.arch = architecture;
    for (std::size_t i = 0; i < 6; ++i) data.args[i] = arguments[i];
    const auto* const bytes = reinterpret_cast<const unsigned char*>(&data);
    std::uint32_t accumulator = 0;
    for (std::size_t at = 0; at < filter.program.size(); ++at) {
        const auto& one = filter.program[at];
        switch (one.code) {
            case BPF_LD | BPF_W | BPF_ABS:
                __builtin_memcpy(&accumulator, bytes + one.k, sizeof accumulator);
                break;
            case BPF_ALU | BPF_AND | BPF_K:
                accumulator &= one.k;
                break;
            case BPF_JMP | BPF_JEQ | BPF_K:
                at += accumulator == one.k ? one.jt : one.jf;
                break;
            case BPF_JMP | BPF_JSET | BPF_K:
                at += (accumulator & one.k) != 0 ? one.jt : one.jf;
                break;
            default:
                return one.k;
        }
    }
    return kKill;
}

}  // namespace tandem::engine::sandbox
