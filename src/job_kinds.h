// Every kind of job that there is: a line each in job_kinds.cpp.
#pragma once

#include "jobs/queue.h"

namespace tandem::alerts {
class Alerts;
}
namespace tandem::gateway {
class Gateway;
}
namespace tandem::probe {
class Probes;
}
namespace tandem::resources {
class Batches;
}

namespace tandem {

// Where the work of jobs is done.
struct JobRooms {
    gateway::Gateway& gateway;
    alerts::Alerts& alerts;
    resources::Batches& batches;
    probe::Probes& probes;
};

// Before the queue starts. The rooms outlive the runner's work.
void add_job_kinds(jobs::Queue& queue, JobRooms rooms);

}  // namespace tandem
