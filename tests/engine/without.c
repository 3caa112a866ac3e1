/* without landlock|new-landlock|namespaces[,...] PROGRAM...: runs a program whose kernel has none of it, as far as the program can tell.
 * new-landlock: Landlock is that of Debian 12, version 2; another process answers the question for the version. */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { kCreateRuleset = 444, kRestrictSelf = 446, kVersion = 2 };

/* Ends with the program. */
static void answer_version(int listener) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    while (1) {
        struct seccomp_notif asked;
        memset(&asked, 0, sizeof asked);
        if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &asked) != 0) {
            if (errno == EINTR || errno == ENOENT) continue;
            _exit(0);
        }
        struct seccomp_notif_resp answer = {.id = asked.id, .val = kVersion};
        ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
    }
}

static int install(struct sock_filter* program, size_t count, unsigned flags) {
    const struct sock_fprog filter = {(unsigned short)count, program};
    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &filter);
}

int main(int count, char** arguments) {
    if (count < 3) return 2;
    const int newer = strstr(arguments[1], "new-landlock") != NULL;
    const int landlock = !newer && strstr(arguments[1], "landlock") != NULL, namespaces = strstr(arguments[1], "namespaces") != NULL;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return perror("no_new_privs"), 1;
    if (newer) {
        struct sock_filter program[] = {{BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(struct seccomp_data, nr)},
                                        {BPF_JMP | BPF_JEQ | BPF_K, 0, 3, kCreateRuleset},
                                        {BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(struct seccomp_data, args) + 16},
                                        {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 1 /* LANDLOCK_CREATE_RULESET_VERSION */},
                                        {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_USER_NOTIF},
                                        {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW}};
        const int listener = install(program, sizeof program / sizeof *program, SECCOMP_FILTER_FLAG_NEW_LISTENER);
        if (listener < 0) return perror("listener"), 1;
        if (fork() == 0) answer_version(listener);
        close(listener);
    }
    struct sock_filter program[] = {{BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(struct seccomp_data, nr)},
                                    {BPF_JMP | BPF_JGE | BPF_K, 0, 2, landlock ? kCreateRuleset : 0xffffffff},
                                    {BPF_JMP | BPF_JGT | BPF_K, 1, 0, kRestrictSelf},
                                    {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | ENOSYS},
                                    {BPF_JMP | BPF_JEQ | BPF_K, 0, 3, namespaces ? SYS_clone : 0xffffffff},
                                    {BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(struct seccomp_data, args)},
                                    {BPF_JMP | BPF_JSET | BPF_K, 0, 1, CLONE_NEWUSER},
                                    {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | EPERM},
                                    {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW}};
    if (install(program, sizeof program / sizeof *program, 0) != 0) return perror("seccomp"), 1;
    execvp(arguments[2], arguments + 2);
    return perror("exec"), 1;
}
