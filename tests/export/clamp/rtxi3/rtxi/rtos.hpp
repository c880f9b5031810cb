// The real-time period in ns, as RTXI 3 declares it.
#pragma once
#include <cstdint>

namespace RT::OS {
std::int64_t getPeriod();
}
