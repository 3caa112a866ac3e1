#include "cli/connect/clients.h"

#include <algorithm>
#include <iterator>

#include "base/text.h"
#include "cli/connect/rows.h"

namespace tandem::cli {

bool Client::takes(std::string_view name) const {
    const auto plain = lower(trim(name.substr(0, name.find('['))));
    return std::ranges::find(taken, plain) != taken.end();
}

std::span<const Client> clients() {
    static const std::vector<Client> list = [] {
        auto all = written_clients();
        std::ranges::move(printed_clients(), std::back_inserter(all));
        return all;
    }();
    return list;
}

}  // namespace tandem::cli
