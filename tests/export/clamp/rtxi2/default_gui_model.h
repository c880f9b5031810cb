// As much of what RTXI 2 declares as a plugin uses, to check its syntax where RTXI is not installed.
#include <cstddef>
#include <string>

struct QString {
  QString(const char *) {}
  double toDouble() const { return 0.0; }
};

namespace Plugin {
struct Object {
  virtual ~Object() {}
};
}  // namespace Plugin

namespace RT {
struct System {
  static System *getInstance();
  long long getPeriod() const;
};
}  // namespace RT

class DefaultGUIModel : public Plugin::Object {
public:
  enum update_flags_t { INIT, MODIFY, PERIOD, PAUSE, UNPAUSE, EXIT };
  static const unsigned long INPUT = 1, OUTPUT = 2, PARAMETER = 4, STATE = 8, DOUBLE = 16;
  struct variable_t {
    const char *name, *description;
    unsigned long flags;
  };
  DefaultGUIModel(std::string, variable_t *, std::size_t) {}
  virtual void execute(void) = 0;
  void createGUI(variable_t *, int) {}
  void setWhatsThis(const char *) {}
  virtual void refresh(void) {}
  double input(std::size_t) const { return 0.0; }
  double &output(std::size_t) { return out; }

protected:
  virtual void update(update_flags_t) {}
  QString getParameter(const QString &name) { return name; }
  void setParameter(const QString &, double) {}
  void setState(const QString &, double &) {}

private:
  double out = 0.0;
};
