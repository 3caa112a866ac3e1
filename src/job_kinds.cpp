#include "job_kinds.h"

#include <string>

#include "alerts/alerts.h"
#include "probe/probes.h"
#include "resources/batches.h"

namespace tandem {

namespace {

using Context = jobs::Queue::Context;

struct Kind {
    std::string_view name;
    jobs::Turns::Limits at_work;  // of all owners, and of one
    net::Task<jobs::Queue::Outcome> (*run)(JobRooms& rooms, Context& job);
};

// By name.
constexpr Kind kKinds[] = {
    {alerts::Alerts::kJob, {4, 4}, [](JobRooms& rooms, Context& job) { return rooms.alerts.deliver(job); }},
    {resources::Batches::kJob, {16, 4}, [](JobRooms& rooms, Context& job) { return rooms.batches.run(job); }},
    {probe::Probes::kJob, {4, 4}, [](JobRooms& rooms, Context& job) { return rooms.probes.run(rooms.gateway, job); }},
};

}  // namespace

void add_job_kinds(jobs::Queue& queue, JobRooms rooms) {
    for (const auto& kind : kKinds)
        queue.add(std::string(kind.name), kind.at_work,
                  [rooms, run = kind.run](Context& job) mutable { return run(rooms, job); });
}

}  // namespace tandem
