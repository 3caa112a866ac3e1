/* without landlock|namespaces PROGRAM...: runs a program whose kernel has none of it, as far as the program can tell. */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int count, char** arguments) {
    if (count < 3) return 2;
    const int landlock = strstr(arguments[1], "landlock") != NULL, namespaces = strstr(arguments[1], "namespaces") != NULL;
    struct sock_filter program[] = {
        {BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(struct seccomp_data, nr)},
        {BPF_JMP | BPF_JGE | BPF_K, 0, 2, landlock ? 444 : 0xffffffff},
        {BPF_JMP | BPF_JGT | BPF_K, 1, 0, 446},
        {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | ENOSYS},
        {BPF_JMP | BPF_JEQ | BPF_K, 0, 3, namespaces ? SYS_clone : 0xffffffff},
        {BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(struct seccomp_data, args)},
        {BPF_JMP | BPF_JSET | BPF_K, 0, 1, CLONE_NEWUSER},
        {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | EPERM},
        {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW}};
    const struct sock_fprog filter = {sizeof program / sizeof *program, program};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0)
        return perror("seccomp"), 1;
    execvp(arguments[2], arguments + 2);
    return perror("exec"), 1;
}
