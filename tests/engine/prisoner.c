/* An engine that tries to get out. It answers /health like a llama-server; a chat whose text holds [[name=value;...]] makes it try
 * everything it can think of with these targets, and the answer's content says for each attempt `name=0` where it succeeded, else
 * errno. Names that begin with "may_" are what an engine needs. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

static char targets[8192], results[16384];

static const char* target(const char* name) {
    static char value[2048];
    char wanted[128];
    snprintf(wanted, sizeof wanted, ";%s=", name);
    const char* at = strstr(targets, wanted);
    if (at == NULL) return "";
    at += strlen(wanted);
    snprintf(value, sizeof value, "%.*s", (int)strcspn(at, ";"), at);
    return value;
}

static void say(const char* name, int succeeded) {
    const size_t used = strlen(results);
    snprintf(results + used, sizeof results - used, "%s=%d ", name, succeeded ? 0 : errno == 0 ? 9999 : errno);
    errno = 0;
}

static int reads(const char* path) {
    char byte;
    const int fd = open(path, O_RDONLY | O_NONBLOCK);
    const int ok = fd >= 0 && read(fd, &byte, 1) >= 0;
    const int why = errno;
    if (fd >= 0) close(fd);
    errno = why;
    return ok;
}

static int writes(const char* path, int flags) {
    const int fd = open(path, O_WRONLY | flags, 0600);
    if (fd >= 0) close(fd);
    return fd >= 0;
}

static int lists(const char* path) {
    DIR* folder = opendir(path);
    if (folder == NULL) return 0;
    closedir(folder);
    return 1;
}

/* Whether the folder shows an entry that is there for others. */
static int shows(const char* path, const char* name) {
    DIR* folder = opendir(path);
    if (folder == NULL) return 0;
    int found = 0;
    for (struct dirent* one = readdir(folder); one != NULL; one = readdir(folder)) found |= strcmp(one->d_name, name) == 0;
    closedir(folder);
    errno = ENOENT;
    return found;
}

static const char* in(const char* folder, const char* name) {
    static char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static int connects(const struct sockaddr* address, socklen_t size, int type) {
    const int fd = socket(address->sa_family, type, 0);
    if (fd < 0) return 0;
    struct timeval most = {2, 0};
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &most, sizeof most);
    int ok = type == SOCK_DGRAM ? sendto(fd, "x", 1, 0, address, size) == 1 : connect(fd, address, size) == 0;
    if (!ok && type == SOCK_DGRAM) {
        struct iovec one = {"x", 1};
        struct msghdr message = {(void*)address, size, &one, 1, NULL, 0, 0};
        ok = sendmsg(fd, &message, 0) == 1;
    }
    const int why = errno;
    close(fd);
    errno = why;
    return ok;
}

static int connects_to(const char* host, int port, int type) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    inet_pton(AF_INET, host, &address.sin_addr);
    return connects((struct sockaddr*)&address, sizeof address, type);
}

static int connects_locally(const char* name, int abstract, int type) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const size_t length = strlen(name);
    if (length == 0 || length + 2 > sizeof address.sun_path) return 0;
    memcpy(address.sun_path + abstract, name, length);
    return connects((struct sockaddr*)&address, offsetof(struct sockaddr_un, sun_path) + length + (abstract ? 1 : 1) - (abstract ? 0 : 0), type);
}

static void* nothing(void* unused) { return unused; }

static int forks(void) {
    const pid_t child = fork();
    if (child == 0) _exit(0);
    if (child > 0) waitpid(child, NULL, 0);
    return child > 0;
}

/* What changes the process for good is done in another one, where there may be one. */
static int apart(int (*act)(void)) {
    const pid_t child = fork();
    if (child == 0) _exit(act() ? 0 : errno == 0 ? 255 : errno);
    if (child < 0) return act();
    int status = 0;
    waitpid(child, &status, 0);
    errno = WEXITSTATUS(status);
    return status == 0;
}

static char* const shell[] = {"/bin/sh", "-c", "exit 0", NULL};
static int executes(void) { return execve(shell[0], shell, shell + 3) == 0; }
static int executes_descriptor(void) { return syscall(SYS_execveat, open("/bin/sh", O_RDONLY | O_CLOEXEC), "", shell, shell + 3, 0x1000) == 0; }
static int executes_absolute(void) { return syscall(SYS_execveat, 7, "/bin/sh", shell, shell + 3, 0) == 0; }
static int leaves_user(void) { return unshare(CLONE_NEWUSER) == 0; }
static int leaves_files(void) { return unshare(CLONE_NEWNS) == 0; }
static int changes_root(void) { return chroot(".") == 0; }
static int mounts(void) {
    if (unshare(CLONE_NEWNS) == 0) mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
    return mount("none", ".", "tmpfs", 0, NULL) == 0;
}

static int sees_others(void) {
    DIR* folder = opendir("/proc");
    if (folder == NULL) return 0;
    int others = 0;
    for (struct dirent* one = readdir(folder); one != NULL; one = readdir(folder)) {
        const int pid = atoi(one->d_name);
        if (pid > 0 && pid != getpid()) ++others;
    }
    closedir(folder);
    errno = ESRCH;
    return others > 0;
}

/* Of one process that is not its own. */
static void try_process(const char* name, pid_t pid) {
    char path[64], label[64];
    const char* files[] = {"environ", "mem", "maps", "cmdline", "status", "fd"};
    for (int i = 0; i < 6; ++i) {
        snprintf(path, sizeof path, "/proc/%d/%s", pid, files[i]);
        snprintf(label, sizeof label, "%s_%s", name, files[i]);
        say(label, i == 5 ? lists(path) : reads(path));
    }
#define ALSO(what, expression) (snprintf(label, sizeof label, "%s_" what, name), say(label, expression))
    ALSO("signal", kill(pid, 0) == 0);
    ALSO("queue", syscall(SYS_rt_sigqueueinfo, pid, 0, NULL) == 0);
    ALSO("tgkill", syscall(SYS_tgkill, pid, pid, 0) == 0);
    ALSO("tkill", syscall(SYS_tkill, pid, 0) == 0);
    ALSO("ptrace", ptrace(PTRACE_SEIZE, pid, NULL, NULL) == 0);
    ALSO("pidfd", syscall(434, pid, 0) >= 0);
    char byte;
    struct iovec here = {&byte, 1}, there = {&results, 1};
    ALSO("vm_readv", process_vm_readv(pid, &here, 1, &there, 1, 0) == 1);
    struct rlimit limit;
    ALSO("prlimit", syscall(SYS_prlimit64, pid, RLIMIT_NOFILE, NULL, &limit) == 0);
    const int fd = open("/dev/null", O_RDONLY);
    ALSO("setown", fcntl(fd, F_SETOWN, pid) == 0);
    close(fd);
}

static void try_files(void) {
    char name[64], data[2048], home[2048], model[2048];
    snprintf(data, sizeof data, "%s", target("data"));
    snprintf(home, sizeof home, "%s", target("home"));
    snprintf(model, sizeof model, "%s", target("model"));
    say("read_ledger", reads(in(data, "ledger.db")));
    say("read_token", reads(in(data, "admin.token")));
    say("read_vault", reads(in(data, "privacy.key")));
    say("read_config", reads(target("config")));
    say("read_home", reads(in(home, "diary")));
    say("read_other_log", reads(target("otherlog")));
    say("list_data", shows(data, "ledger.db"));
    say("list_home", shows(home, "diary"));
    say("list_root_home", lists("/root"));
    say("list_tmp", shows("/tmp", target("stranger")));
    say("list_other_engine", lists(target("otherfolder")));
    say("read_shadow", reads("/etc/shadow"));
    say("read_passwd", reads("/etc/passwd"));
    say("write_model", writes(model, 0));
    say("truncate_model", truncate(model, 1) == 0);
    const int emptied = open(model, O_RDONLY | O_TRUNC);
    say("empty_model", emptied >= 0);
    if (emptied >= 0) close(emptied);
    char ledger[4096];
    snprintf(ledger, sizeof ledger, "%s", in(data, "ledger.db"));
    say("open_ledger_to_all", chmod(ledger, 0666) == 0);
    say("give_ledger_away", chown(ledger, getuid(), getgid()) == 0);
    say("date_ledger", utimensat(AT_FDCWD, ledger, NULL, 0) == 0);
    say("date_model", utimensat(AT_FDCWD, model, NULL, 0) == 0);
    say("mark_ledger", setxattr(ledger, "user.prisoner", "x", 1, 0) == 0);
    say("watch_ledger", inotify_add_watch(inotify_init(), ledger, IN_ACCESS) >= 0);
    say("cut_config", truncate(target("config"), 1) == 0);
    say("write_beside_model", writes(in(target("modelfolder"), "x"), O_CREAT));
    say("remove_model", unlink(model) == 0);
    say("write_tmp", writes("/tmp/tandem-prisoner", O_CREAT));
    say("write_shm", writes("/dev/shm/tandem-prisoner", O_CREAT));
    unlink("/tmp/tandem-prisoner");
    unlink("/dev/shm/tandem-prisoner");
    say("write_data", writes(in(data, "x"), O_CREAT));
    say("write_program", writes("/proc/self/exe", 0));
    say("write_core_pattern", writes("/proc/sys/kernel/core_pattern", 0));
    say("make_device", mknod("d", S_IFBLK | 0600, 1 << 8) == 0);
    snprintf(name, sizeof name, "s%d", getpid());
    const int linked = symlink(in(data, "ledger.db"), name) == 0;
    say("read_by_symlink", linked && reads(name));
    unlink(name);
    say("read_by_hard_link", link(in(data, "ledger.db"), name) == 0 && reads(name));
    say("leave_by_dots", reads("../../../ledger.db"));
    say("leave_by_root", chdir("/") == 0 && reads(in(data, "ledger.db")));
    if (chdir(target("run")) != 0) say("may_go_back", 0);
}

static void try_network(void) {
    const int listener = atoi(target("listener")), own = atoi(target("port"));
    say("tcp_listener", connects_to("127.0.0.1", listener, SOCK_STREAM));
    say("tcp_tandem", connects_to("127.0.0.1", own, SOCK_STREAM));
    say("tcp_public", connects_to("1.1.1.1", 80, SOCK_STREAM));
    say("udp_listener", connects_to("127.0.0.1", listener, SOCK_DGRAM));
    say("abstract_listener", connects_locally(target("abstract"), 1, SOCK_STREAM));
    say("path_listener", connects_locally(target("pathsocket"), 0, SOCK_STREAM));
    say("path_datagram", connects_locally(target("datagram"), 0, SOCK_DGRAM));
    say("tandem_socket", connects_locally(target("tandemsocket"), 0, SOCK_STREAM));
    say("other_engine", connects_locally(target("othersocket"), 0, SOCK_STREAM));
    say("listen_tcp", socket(AF_INET, SOCK_STREAM, 0) >= 0);
    say("netlink", socket(AF_NETLINK, SOCK_RAW, 0) >= 0);
    say("packet", socket(AF_PACKET, SOCK_RAW, 0) >= 0);
    say("vsock", socket(40, SOCK_STREAM, 0) >= 0);
}

static void try_calls(void) {
    say("fork", forks());
    say("exec", apart(executes));
    say("exec_by_descriptor", apart(executes_descriptor));
    say("exec_absolute", apart(executes_absolute));
    say("unshare_user", apart(leaves_user));
    say("unshare_files", apart(leaves_files));
    say("mount", apart(mounts));
    say("chroot", apart(changes_root));
    struct { unsigned type, keys, values, entries; char rest[100]; } map = {2, 4, 4, 1, ""};
    say("bpf", syscall(SYS_bpf, 0, &map, sizeof map) >= 0);
    struct { unsigned type, size; unsigned long config; char rest[100]; } event = {1, 112, 1, ""};
    say("perf", syscall(SYS_perf_event_open, &event, 0, -1, -1, 0) >= 0);
    say("userfaultfd", syscall(SYS_userfaultfd, 1) >= 0);
    char ring[120] = "";
    say("io_uring", syscall(425, 1, ring) >= 0);
    say("keys", syscall(SYS_add_key, "user", "tandem-prisoner", "x", 1, -3) >= 0);
    say("shared_memory", shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0600) >= 0);
    say("by_handle", syscall(SYS_open_by_handle_at, AT_FDCWD, ring, O_RDONLY) >= 0 || errno == EINVAL || errno == ESTALE || errno == EOVERFLOW);
}

/* What a real engine cannot do without. */
static void try_needs(void) {
    pthread_t thread;
    const int failed = pthread_create(&thread, NULL, nothing, NULL);
    if (failed == 0) pthread_join(thread, NULL);
    say("may_thread", failed == 0);
    say("may_read_model", reads(target("model")));
    say("may_read_lora", reads(target("lora")));
    say("may_read_processors", reads("/proc/cpuinfo") && reads("/sys/devices/system/cpu/online"));
    say("may_read_itself", reads("/proc/self/maps") && reads("/proc/self/status"));
    char path[4096];
    say("may_know_its_name", readlink("/proc/self/exe", path, sizeof path) > 0);
    say("may_random", reads("/dev/urandom"));
    say("may_write_home", writes(in(getenv("HOME"), "kernels"), O_CREAT));
    say("may_write_tmp", writes(in(getenv("TMPDIR"), "scratch"), O_CREAT));
    say("may_compile", mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED);
    snprintf(path, sizeof path, "/proc/self/task/%ld/comm", (long)syscall(SYS_gettid));
    say("may_name_thread", writes(path, 0));  /* CUDA's driver does, and gives up where it cannot */
    say("may_raise", raise(SIGCONT) == 0 && kill(getpid(), SIGCONT) == 0);
}

static void try_all(void) {
    results[0] = '\0';
    try_needs();
    try_files();
    try_network();
    say("sees_others", sees_others());
    say("signal_anybody", kill(-1, 0) == 0);
    try_process("tandem", atoi(target("tandem")));
    try_process("engine", atoi(target("engine")));
    try_calls();
}

static void answer(int client, const char* body) {
    char text[20000];
    const int length = snprintf(text, sizeof text, "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %zu\r\n\r\n%s", strlen(body), body);
    for (int done = 0; done < length;) {
        const ssize_t sent = send(client, text + done, length - done, MSG_NOSIGNAL);
        if (sent <= 0) return;
        done += (int)sent;
    }
}

static void* serve(void* argument) {
    const int client = (int)(long)argument;
    static __thread char request[65536];
    size_t have = 0;
    while (1) {
        char* end;
        while (request[have] = '\0', (end = strstr(request, "\r\n\r\n")) == NULL) {
            const ssize_t got = recv(client, request + have, sizeof request - have - 1, 0);
            if (got <= 0) return close(client), NULL;
            have += (size_t)got;
        }
        const char* said = strcasestr(request, "content-length:");
        const size_t whole = (size_t)(end + 4 - request) + (said != NULL && said < end ? strtoul(said + 15, NULL, 10) : 0);
        while (have < whole && have < sizeof request - 1) {
            const ssize_t got = recv(client, request + have, sizeof request - have - 1, 0);
            if (got <= 0) return close(client), NULL;
            have += (size_t)got;
        }
        request[have] = '\0';
        static char body[20000];
        char* from = strstr(request, "[[");
        char* to = from != NULL ? strstr(from, "]]") : NULL;
        results[0] = '\0';
        if (to != NULL) {
            snprintf(targets, sizeof targets, ";%.*s;", (int)(to - from - 2), from + 2);
            if (strncmp(targets, ";name", 5) == 0)
                snprintf(results, sizeof results, "pid %d", getpid());
            else
                try_all();
        }
        snprintf(body, sizeof body,
                 "{\"id\":\"x\",\"object\":\"chat.completion\",\"created\":1,\"model\":\"m\",\"status\":\"ok\",\"choices\":[{\"index\":0,"
                 "\"message\":{\"role\":\"assistant\",\"content\":\"tried: %s\"},\"finish_reason\":\"stop\"}],"
                 "\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":1,\"total_tokens\":2}}", results);
        answer(client, body);
        have = 0;
    }
}

int main(int count, char** arguments) {
    const char* host = "";
    int queue = 64;
    for (int i = 1; i + 1 < count; ++i)
        if (strcmp(arguments[i], "--host") == 0)
            host = arguments[i + 1];
        else if (strcmp(arguments[i], "--queue") == 0)
            queue = atoi(arguments[i + 1]);
    for (int i = 1; i < count; ++i)
        if (strcmp(arguments[i], "--version") == 0) return puts("version: 1 (prisoner)"), 0;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", host);
    const int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    if (bind(listener, (struct sockaddr*)&address, sizeof address) != 0 || listen(listener, queue) != 0) return perror("bind"), 1;
    while (1) {
        if (queue == 0) usleep(200000); /* so that it fills up */
        const int client = accept(listener, NULL, NULL);
        pthread_t thread;
        if (client >= 0 && pthread_create(&thread, NULL, serve, (void*)(long)client) == 0) pthread_detach(thread);
    }
}
