#include "engine/sandbox/policy.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <fstream>

#include "base/text.h"
#include "engine/split.h"

namespace tandem::engine::sandbox {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kMostLibraries = 256;  // beside the program
constexpr std::size_t kLongestHead = 256;    // of a script's first line

// Programs and libraries of the system and of package managers that install elsewhere.
constexpr std::array kSystem = {"/usr", "/lib",  "/lib32", "/lib64",     "/libx32",
                                "/bin", "/sbin", "/opt",   "/nix/store", "/gnu/store"};
// What the loader, the C library, and the drivers of GPUs look up.
constexpr std::array kSettings = {"/etc/ld.so.cache",
                                  "/etc/ld.so.conf",
                                  "/etc/ld.so.conf.d",
                                  "/etc/ld.so.preload",
                                  "/etc/localtime",
                                  "/etc/timezone",
                                  "/etc/nsswitch.conf",
                                  "/etc/host.conf",
                                  "/etc/locale.alias",
                                  "/etc/alternatives",
                                  "/etc/ssl/openssl.cnf",
                                  "/etc/vulkan",
                                  "/etc/OpenCL",
                                  "/etc/glvnd",
                                  "/etc/drirc",
                                  "/etc/nvidia",
                                  "/etc/nvidia-container-runtime"};
// What the machine is: processors, memory, cards. Nothing here is about other processes.
constexpr std::array kMachine = {"/sys/devices",
                                 "/sys/class",
                                 "/sys/bus",
                                 "/sys/dev",
                                 "/sys/module",
                                 "/sys/kernel/mm",
                                 "/proc/cpuinfo",
                                 "/proc/meminfo",
                                 "/proc/stat",
                                 "/proc/version",
                                 "/proc/devices",
                                 "/proc/modules",
                                 "/proc/filesystems",
                                 "/proc/driver",
                                 "/proc/sys/vm",
                                 "/proc/sys/kernel/numa_balancing",
                                 "/proc/sys/kernel/osrelease"};
constexpr std::array kDevices = {"/dev/null", "/dev/zero", "/dev/full", "/dev/random",     "/dev/urandom",
                                 "/dev/dri",  "/dev/kfd",  "/dev/dxg",  "/dev/nvidia-caps"};
// By which other machines are found, and known to be who they say.
constexpr std::array kNames = {"/etc/hosts", "/etc/resolv.conf", "/etc/ssl", "/etc/ca-certificates", "/etc/pki"};
// The folders of a bundle of ROCm's, which lie beside the program.
constexpr std::array kBundled = {"lib", "rocblas", "hipblaslt"};
// Arguments whose file or folder is written.
constexpr std::array<std::string_view, 4> kWritten = {"--slot-save-path", "--log-file", "-lcd",
                                                      "--lookup-cache-dynamic"};

bool is_there(const fs::path& path) {
    std::error_code error;
    return fs::exists(path, error);
}

bool is_below(const fs::path& path, const fs::path& folder) {
    const auto [end, ignored] = std::mismatch(folder.begin(), folder.end(), path.begin(), path.end());
    return end == folder.end();
}

fs::path real(const fs::path& path) {
    std::error_code error;
    auto found = fs::canonical(path, error);
    return error ? path : found;
}

class Maker {
  public:
    explicit Maker(const Wish& wish) : wish_(wish) {}

    void add(const fs::path& path, May may) {
        if (!path.is_absolute() || !is_there(path) || is_closed(path, may)) return;
        Place place{path.lexically_normal(), may};
        if (std::ranges::find(places_, place) == places_.end()) places_.push_back(std::move(place));
    }

    // A folder that holds our data or the owner's home is opened for nobody, whoever names it.
    bool is_closed(const fs::path& path, May may) const {
        if (may == May::list || may == May::device || !fs::is_directory(path)) return false;
        const auto whole = real(path);
        return std::ranges::any_of(wish_.kept_closed,
                                   [&](const fs::path& closed) { return is_below(real(closed), whole); });
    }

    // A folder of the system in which our data or the owner's home lies is opened but for the way there.
    void add_around(const fs::path& path) {
        if (!is_closed(path, May::run)) return add(path, May::run);
        const auto whole = real(path);
        if (std::ranges::any_of(wish_.kept_closed, [&](const fs::path& closed) { return real(closed) == whole; }))
            return;
        std::error_code error;
        for (const auto& entry : fs::directory_iterator(path, error)) add_around(entry.path());
    }

    void add_system() {
        for (const auto* path : kSystem) add_around(path);
        for (const auto* path : kSettings) add(path, May::read);
        for (const auto* path : kMachine) add(path, May::read);
        for (const auto* path : kDevices) add(path, May::device);
        std::error_code error;
        for (const auto& entry : fs::directory_iterator("/dev", error))
            if (entry.path().filename().string().starts_with("nvidia")) add(entry.path(), May::device);
    }

    // The program's own libraries, and no other file that lies beside it: it may lie among somebody's downloads.
    void add_program(const fs::path& program) {
        add(program, May::run);
        const auto folder = program.parent_path();
        if (add_libraries(folder)) {
            add(folder, May::list);
            for (const auto* name : kBundled) add(folder / name, May::run);
        }
        if (folder.filename() == "bin") add_libraries(folder.parent_path() / "lib");
    }

    // A virtual environment of Python's, whose interpreter is a link to the system's.
    void add_python(const fs::path& program) {
        const auto folder = program.parent_path().parent_path();
        if (!program.empty() && is_there(folder / "pyvenv.cfg")) add(folder, May::run);
    }

    bool add_libraries(const fs::path& folder) {
        std::error_code error;
        std::size_t found = 0;
        for (const auto& entry : fs::directory_iterator(folder, error)) {
            const auto name = entry.path().filename().string();
            if (!name.starts_with("lib") || name.find(".so") == std::string::npos) continue;
            if (++found > kMostLibraries) break;
            add(entry.path(), May::run);
        }
        return found > 0;
    }

    // Whatever an argument or a variable names is the owner's word for it. Several files may stand in one, with a
    // scale; and a file may have a comma in its name.
    void add_named(std::string_view text, May may) {
        const bool is_one = is_there(text);
        for (const auto whole : is_one ? std::vector{text} : split(text, ',')) {
            auto path = fs::path(whole);
            if (!is_there(path)) path = whole.substr(0, whole.rfind(':'));
            // The engine finds the other parts of a model by the name of one.
            for (const auto& part : may == May::read ? parts_beside(path) : std::vector{path}) add(part, may);
        }
    }

    const Wish& wish_;
    std::vector<Place> places_;
};

bool is_script(const fs::path& program, std::string& interpreter) {
    std::ifstream file(program, std::ios::binary);
    std::string head(kLongestHead, '\0');
    file.read(head.data(), static_cast<std::streamsize>(head.size()));
    head.resize(static_cast<std::size_t>(file.gcount()));
    if (!head.starts_with("#!")) return false;
    const auto line = trim(std::string_view(head).substr(2, head.find('\n') - 2));
    interpreter = line.substr(0, line.find(' '));
    return true;
}

void reach_out(Policy& policy, std::string by) {
    policy.network = true;
    policy.network_by = std::move(by);
}

// A file that is written is made first: who may write a file may not therefore make one in its folder.
void make_file(const std::string& path) {
    if (!is_there(path)) std::ofstream(path, std::ios::app).flush();
}

}  // namespace

Result<Policy> policy_for(const Wish& wish) {
    std::error_code error;
    Policy policy;
    policy.program = fs::canonical(wish.program, error);
    if (error) return fail(Fault::engine_not_found, fmt::format("{}: {}", wish.program.string(), error.message()));
    policy.folder = wish.folder;
    Maker maker(wish);
    maker.add_system();
    maker.add_program(policy.program);
    std::string interpreter;
    policy.runs_programs = is_script(policy.program, interpreter);
    if (policy.runs_programs) maker.add(interpreter, May::run);
    for (const auto& program : {wish.program, fs::path(interpreter)}) maker.add_python(program);
    policy.runs_programs = policy.runs_programs || wish.runs_programs;
    policy.listens = wish.listens;
    if (!wish.connects.empty()) reach_out(policy, wish.connects);
    for (std::size_t at = 0; at < wish.arguments.size(); ++at) {
        const auto& argument = wish.arguments[at];
        if (argument == "--rpc") reach_out(policy, "`--rpc`");
        if (argument == "--mlock") policy.locks_memory = true;
        if (argument.starts_with('-')) continue;
        const bool written = at > 0 && std::ranges::find(kWritten, wish.arguments[at - 1]) != kWritten.end();
        if (written) policy.large_files = true;
        if (written && argument.starts_with('/')) make_file(argument);
        maker.add_named(argument, written ? May::write : May::read);
    }
    for (const auto& variable : wish.environment) {
        const auto at = variable.find('=');
        if (at == std::string::npos) continue;
        const auto name = std::string_view(variable).substr(0, at), value = std::string_view(variable).substr(at + 1);
        if (name == "LLAMA_ARG_RPC") reach_out(policy, "`LLAMA_ARG_RPC`");
        if (name.starts_with("LLAMA_ARG_")) maker.add_named(value, May::read);
        if (name == "LD_LIBRARY_PATH")
            for (const auto part : split(value, ':')) maker.add(part, May::run);
    }
    for (const auto& path : wish.readable) maker.add(path, May::run);
    for (const auto& path : wish.writable) maker.add(path, May::write);
    policy.large_files = policy.large_files || !wish.writable.empty();
    if (policy.network)
        for (const auto* path : kNames) maker.add(path, May::read);
    for (const auto& folder : {wish.folder.run(), wish.folder.home(), wish.folder.temporary()})
        maker.places_.push_back({folder, May::write});
    policy.places = std::move(maker.places_);
    return policy;
}

}  // namespace tandem::engine::sandbox
