// The parts of Asio and Beast that are compiled once instead of in each file (HAZARDS.md 3).
#include <boost/asio/impl/src.hpp>
#include <boost/asio/ssl/impl/src.hpp>
#include <boost/beast/src.hpp>
