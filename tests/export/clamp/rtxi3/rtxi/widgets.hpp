// As much of what RTXI 3 declares as a plugin uses, to check its syntax where RTXI is not installed.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#define Q_OBJECT

class QMainWindow;

namespace Event {
class Manager;
}

namespace IO {
enum flags_t : std::size_t { INPUT = 0, OUTPUT, UNKNOWN };
struct channel_t {
  std::string name, description;
  flags_t flags = UNKNOWN;
  std::size_t data_size = 0;
};
}  // namespace IO

namespace RT::State {
enum state_t { EXEC, INIT, MODIFY, PERIOD, PAUSE, UNPAUSE, EXIT };
}

namespace Widgets {
namespace Variable {
using Id = std::size_t;
enum variable_t : std::size_t { INT_PARAMETER = 0, DOUBLE_PARAMETER, UINT_PARAMETER, STATE, COMMENT, UNKNOWN };
struct Info {
  Id id = 0;
  std::string name, description;
  variable_t vartype = UNKNOWN;
  std::variant<std::int64_t, double, std::uint64_t, std::string> value;
};
}  // namespace Variable

class Plugin {
public:
  Plugin(Event::Manager *, std::string) {}
  virtual ~Plugin() = default;
};

class Panel {
public:
  Panel(const std::string &, QMainWindow *, Event::Manager *) {}
  void createGUI(const std::vector<Variable::Info> &, const std::vector<Variable::Id> &) {}
  void setWhatsThis(const char *) {}
  void resizeMe() {}
};

class Component {
public:
  Component(Plugin *, const std::string &, const std::vector<IO::channel_t> &, const std::vector<Variable::Info> &) {}
  virtual ~Component() = default;
  virtual void execute() = 0;
  template <typename T>
  T getValue(const std::size_t &) {
    return T{};
  }
  RT::State::state_t getState() const { return state; }
  void setState(RT::State::state_t to) { state = to; }
  const double &readinput(std::size_t) { return value; }
  void writeoutput(std::size_t, const double &) {}

private:
  RT::State::state_t state = RT::State::INIT;
  double value = 0.0;
};

struct FactoryMethods {
  std::unique_ptr<Plugin> (*createPlugin)(Event::Manager *) = nullptr;
  std::unique_ptr<Component> (*createComponent)(Plugin *) = nullptr;
  Panel *(*createPanel)(QMainWindow *, Event::Manager *) = nullptr;
};
}  // namespace Widgets
