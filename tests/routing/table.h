// The routing table of a config that is written out in a test.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "routing/routing.h"

namespace tandem::routing {

inline Table table_from_yaml(const std::string& yaml) {
    const auto config = config::parse(yaml, {}, [](const std::string&) { return std::optional<std::string>("/home"); });
    EXPECT_TRUE(config) << (config ? "" : config.error().message);
    return config ? table_of(*config) : Table{};
}

}  // namespace tandem::routing
