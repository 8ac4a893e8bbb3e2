// Gazebo 11's side of the tests' bridge: what ros_gz and Harmonic's systems are for robot owners.
//
// It drives the arm by the very laws of gz-sim 8 (JointTrajectoryController: no interpolation, the next
// point is the target, a position and a velocity PID; JointPositionController: one PID), tells what Gazebo
// has loaded, and sends joint states, object poses, contacts, pictures and depth over a local socket.
// tests/gazebo/server.py is the other end and describes the messages.

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <gazebo/common/common.hh>
#include <gazebo/physics/physics.hh>
#include <gazebo/rendering/rendering.hh>
#include <gazebo/sensors/sensors.hh>
#include <ignition/math/PID.hh>
#include <ignition/math/Pose3.hh>

namespace {

using ignition::math::PID;
using ignition::math::Pose3d;
using ignition::math::Vector3d;

const double kStatePeriod = 0.01;

std::string Numbers(std::initializer_list<double> values) {
  std::ostringstream out;
  out.precision(12);
  out << '[';
  bool first = true;
  for (double v : values) {
    if (!first) out << ',';
    first = false;
    if (std::isfinite(v)) out << v; else out << "null";
  }
  out << ']';
  return out.str();
}

std::string Text(const Pose3d &p) {
  return Numbers({p.Pos().X(), p.Pos().Y(), p.Pos().Z(), p.Rot().W(), p.Rot().X(), p.Rot().Y(), p.Rot().Z()});
}

std::string Quoted(const std::string &s) { return '"' + s + '"'; }

struct Point {
  double time;
  std::vector<double> positions, velocities;
};

struct Actuated {
  gazebo::physics::JointPtr joint;
  double target = 0.0, targetVelocity = 0.0;
  PID position, velocity;
  bool hasVelocity = false;
};

}  // namespace

namespace gazebo {

class MmrobotBridge : public ModelPlugin {
 public:
  ~MmrobotBridge() override {
    this->closing = true;
    if (this->socket >= 0) shutdown(this->socket, SHUT_RDWR);
    if (this->reader.joinable()) this->reader.join();
    if (this->socket >= 0) close(this->socket);
  }

  void Load(physics::ModelPtr model, sdf::ElementPtr sdf) override {
    this->model = model;
    this->world = model->GetWorld();
    for (auto e = sdf->GetElement("trajectory_controller"); e; e = e->GetNextElement("trajectory_controller"))
      this->ReadTrajectoryController(e);
    for (auto e = sdf->GetElement("position_controller"); e; e = e->GetNextElement("position_controller"))
      this->ReadPositionController(e);
    this->Connect(sdf->Get<std::string>("socket"));
    this->world->Physics()->GetContactManager()->SetNeverDropContacts(true);
    this->reader = std::thread([this] { this->Read(); });
    this->update = event::Events::ConnectWorldUpdateBegin(
        [this](const common::UpdateInfo &info) { this->Update(info.simTime); });
  }

 private:
  static std::vector<std::string> All(sdf::ElementPtr e, const std::string &tag) {
    std::vector<std::string> values;
    if (!e->HasElement(tag)) return values;
    for (auto c = e->GetElement(tag); c; c = c->GetNextElement(tag)) values.push_back(c->Get<std::string>());
    return values;
  }

  static double Nth(sdf::ElementPtr e, const std::string &tag, size_t n, double otherwise) {
    auto values = All(e, tag);
    return n < values.size() ? std::stod(values[n]) : otherwise;
  }

  // Defaults as in gz-sim's JointTrajectoryController.cc.
  static PID ReadPid(sdf::ElementPtr e, const std::string &kind, size_t n) {
    return PID(Nth(e, kind + "_p_gain", n, 0), Nth(e, kind + "_i_gain", n, 0), Nth(e, kind + "_d_gain", n, 0),
               Nth(e, kind + "_i_max", n, -1), Nth(e, kind + "_i_min", n, 0), Nth(e, kind + "_cmd_max", n, -1),
               Nth(e, kind + "_cmd_min", n, 0), Nth(e, kind + "_cmd_offset", n, 0));
  }

  void ReadTrajectoryController(sdf::ElementPtr e) {
    auto names = All(e, "joint_name");
    for (size_t n = 0; n < names.size(); ++n) {
      Actuated a;
      a.joint = this->Joint(names[n]);
      a.target = Nth(e, "initial_position", n, 0);
      a.position = ReadPid(e, "position", n);
      a.velocity = ReadPid(e, "velocity", n);
      a.hasVelocity = true;
      this->actuated[names[n]] = a;
    }
  }

  // Defaults as in gz-sim's JointPositionController.cc.
  void ReadPositionController(sdf::ElementPtr e) {
    Actuated a;
    auto name = e->Get<std::string>("joint_name");
    a.joint = this->Joint(name);
    a.target = Nth(e, "initial_position", 0, 0);
    a.position = PID(Nth(e, "p_gain", 0, 1), Nth(e, "i_gain", 0, 0.1), Nth(e, "d_gain", 0, 0.01),
                     Nth(e, "i_max", 0, 1), Nth(e, "i_min", 0, -1), Nth(e, "cmd_max", 0, 1000),
                     Nth(e, "cmd_min", 0, -1000), Nth(e, "cmd_offset", 0, 0));
    this->actuated[name] = a;
    this->topics[e->Get<std::string>("topic")] = name;
  }

  physics::JointPtr Joint(const std::string &name) {
    auto joint = this->model->GetJoint(name);
    if (!joint) gzthrow("mmrobot_bridge: the model has no joint [" << name << "]");
    return joint;
  }

  void Connect(const std::string &path) {
    this->socket = ::socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof(address.sun_path) - 1);
    if (connect(this->socket, reinterpret_cast<sockaddr *>(&address), sizeof(address)) != 0)
      gzthrow("mmrobot_bridge: nobody listens at [" << path << "]");
  }

  // A message: its kind, its length, then itself.
  void Send(char kind, const std::string &head, const void *body = nullptr, size_t size = 0) {
    std::lock_guard<std::mutex> lock(this->sending);
    uint32_t length = head.size() + size;
    std::string start(1, kind);
    start.append(reinterpret_cast<char *>(&length), 4);
    start += head;
    this->Put(start.data(), start.size());
    if (size) this->Put(body, size);
  }

  void Put(const void *data, size_t size) {
    auto at = static_cast<const char *>(data);
    while (size > 0 && !this->closing) {
      auto sent = ::send(this->socket, at, size, MSG_NOSIGNAL);
      if (sent <= 0) return;
      at += sent;
      size -= sent;
    }
  }

  void Read() {
    std::string pending;
    char buffer[65536];
    while (!this->closing) {
      auto got = recv(this->socket, buffer, sizeof(buffer), 0);
      if (got <= 0) return;
      pending.append(buffer, got);
      size_t end;
      while ((end = pending.find('\n')) != std::string::npos) {
        std::lock_guard<std::mutex> lock(this->commanding);
        this->commands.push_back(pending.substr(0, end));
        pending.erase(0, end + 1);
      }
    }
  }

  void Obey(const std::string &line) {
    std::istringstream in(line);
    std::string kind;
    in >> kind;
    if (kind == "trajectory") {
      size_t joints, points;
      in >> joints;
      this->names.assign(joints, "");
      for (auto &n : this->names) in >> n;
      in >> points;
      this->points.assign(points, Point());
      for (auto &p : this->points) {
        in >> p.time;
        p.positions.resize(joints);
        p.velocities.resize(joints);
        for (auto &v : p.positions) in >> v;
        for (auto &v : p.velocities) in >> v;
      }
      this->index = 0;
      this->fresh = true;
    } else if (kind == "position") {
      std::string topic;
      double value;
      in >> topic >> value;
      auto found = this->topics.find(topic);
      if (found != this->topics.end()) this->actuated[found->second].target = value;
    } else if (kind == "move") {
      std::string name;
      double x, y, z, w, i, j, k;
      in >> name >> x >> y >> z >> w >> i >> j >> k;
      auto m = this->world->ModelByName(name);
      if (m) {
        m->SetWorldPose(Pose3d(x, y, z, w, i, j, k));
        m->ResetPhysicsStates();
      }
    }
  }

  // As gz-sim's JointTrajectoryController::PreUpdate and Trajectory::UpdateCurrentPoint.
  void FollowTrajectory(double now) {
    if (this->points.empty()) return;
    bool changed = false;
    if (this->fresh) {
      this->began = now;
      this->fresh = false;
      changed = true;
    }
    while (this->index + 1 < this->points.size() && this->points[this->index].time < now - this->began) {
      ++this->index;
      changed = true;
    }
    if (!changed) return;
    for (size_t n = 0; n < this->names.size(); ++n) {
      auto found = this->actuated.find(this->names[n]);
      if (found == this->actuated.end()) continue;
      found->second.target = this->points[this->index].positions[n];
      found->second.targetVelocity = this->points[this->index].velocities[n];
    }
  }

  void Update(const common::Time &time) {
    double now = time.Double();
    double step = now - this->last;
    this->last = now;
    if (!this->told) this->Tell();
    {
      std::vector<std::string> lines;
      {
        std::lock_guard<std::mutex> lock(this->commanding);
        lines.swap(this->commands);
      }
      for (auto &line : lines) this->Obey(line);
    }
    this->FollowTrajectory(now);
    std::chrono::duration<double> dt(step > 0 ? step : 0.001);
    for (auto &entry : this->actuated) {
      Actuated &a = entry.second;
      double force = a.position.Update(a.joint->Position(0) - a.target, dt);
      if (a.hasVelocity) force += a.velocity.Update(a.joint->GetVelocity(0) - a.targetVelocity, dt);
      this->forces[entry.first] = force;
      a.joint->SetForce(0, force);
    }
    if (now >= this->nextState - 1e-9) {
      this->nextState = now + kStatePeriod;
      this->SendState(now);
      if (!this->watching) this->WatchSensors();
    }
  }

  void SendState(double now) {
    std::ostringstream out;
    out.precision(12);
    out << "{\"t\":" << now << ",\"joints\":{";
    bool first = true;
    for (auto &entry : this->actuated) {
      auto &joint = entry.second.joint;
      out << (first ? "" : ",") << Quoted(entry.first) << ':'
          << Numbers({joint->Position(0), joint->GetVelocity(0), this->forces[entry.first]});
      first = false;
    }
    out << "},\"models\":{";
    first = true;
    for (auto &m : this->world->Models()) {
      if (m->IsStatic() || m == this->model) continue;
      auto p = m->WorldPose();
      auto v = m->WorldLinearVel(), w = m->WorldAngularVel();
      out << (first ? "" : ",") << Quoted(m->GetName()) << ':'
          << Numbers({p.Pos().X(), p.Pos().Y(), p.Pos().Z(), p.Rot().W(), p.Rot().X(), p.Rot().Y(),
                      p.Rot().Z(), v.X(), v.Y(), v.Z(), w.X(), w.Y(), w.Z()});
      first = false;
    }
    out << "},\"contacts\":[";
    std::set<std::pair<std::string, std::string>> pairs;
    auto manager = this->world->Physics()->GetContactManager();
    for (unsigned i = 0; i < manager->GetContactCount(); ++i) {
      auto c = manager->GetContact(i);
      if (!c->collision1 || !c->collision2) continue;
      auto a = c->collision1->GetLink()->GetScopedName(), b = c->collision2->GetLink()->GetScopedName();
      pairs.insert(a < b ? std::make_pair(a, b) : std::make_pair(b, a));
    }
    first = true;
    for (auto &p : pairs) {
      out << (first ? "" : ",") << '[' << Quoted(p.first) << ',' << Quoted(p.second) << ']';
      first = false;
    }
    out << "]}";
    this->Send('S', out.str());
  }

  // What was loaded: for comparison with what the embedded simulator loads.
  void Tell() {
    this->told = true;
    std::ostringstream out;
    out.precision(12);
    auto physics = this->world->Physics();
    auto g = this->world->Gravity();
    out << "{\"step_s\":" << physics->GetMaxStepSize() << ",\"gravity\":" << Numbers({g.X(), g.Y(), g.Z()})
        << ",\"models\":{";
    bool firstModel = true;
    for (auto &m : this->world->Models()) {
      out << (firstModel ? "" : ",") << Quoted(m->GetName()) << ":{\"static\":" << (m->IsStatic() ? "true" : "false")
          << ",\"links\":{";
      firstModel = false;
      bool first = true;
      for (auto &l : m->GetLinks()) {
        auto i = l->GetInertial();
        auto c = i->Pose().Pos();
        out << (first ? "" : ",") << Quoted(l->GetName()) << ":{\"pose\":" << Text(l->WorldPose())
            << ",\"mass\":" << i->Mass() << ",\"com\":" << Numbers({c.X(), c.Y(), c.Z()})
            << ",\"inertia\":" << Numbers({i->IXX(), i->IYY(), i->IZZ(), i->IXY(), i->IXZ(), i->IYZ()})
            << ",\"collisions\":" << l->GetCollisions().size() << '}';
        first = false;
      }
      out << "},\"joints\":{";
      first = true;
      for (auto &j : m->GetJoints()) {
        auto parent = j->GetParent(), child = j->GetChild();
        out << (first ? "" : ",") << Quoted(j->GetName()) << ":{\"parent\":"
            << Quoted(parent ? parent->GetName() : "world") << ",\"child\":" << Quoted(child ? child->GetName() : "")
            << ",\"fixed\":" << (j->HasType(physics::Base::FIXED_JOINT) ? "true" : "false")
            << ",\"slides\":" << (j->HasType(physics::Base::SLIDER_JOINT) ? "true" : "false");
        if (!j->HasType(physics::Base::FIXED_JOINT)) {
          auto axis = j->GlobalAxis(0), anchor = j->Anchor(0);
          out << ",\"axis\":" << Numbers({axis.X(), axis.Y(), axis.Z()})
              << ",\"anchor\":" << Numbers({anchor.X(), anchor.Y(), anchor.Z()})
              << ",\"limits\":" << Numbers({j->LowerLimit(0), j->UpperLimit(0)})
              << ",\"effort\":" << j->GetEffortLimit(0) << ",\"velocity\":" << j->GetVelocityLimit(0)
              << ",\"damping\":" << j->GetDamping(0);
        }
        out << '}';
        first = false;
      }
      out << "}}";
    }
    out << "}}";
    this->Send('M', out.str());
  }

  void WatchSensors() {
    for (auto &sensor : sensors::SensorManager::Instance()->GetSensors()) {
      if (auto depth = std::dynamic_pointer_cast<sensors::DepthCameraSensor>(sensor)) {
        if (!depth->DepthCamera()) return;
        depth->SetActive(true);
        auto keep = depth.get();
        this->connections.push_back(depth->DepthCamera()->ConnectNewDepthFrame(
            [this, keep](const float *data, unsigned w, unsigned h, unsigned, const std::string &) {
              this->SendPicture('D', keep->LastMeasurementTime().Double(), w, h, data, w * h * 4);
            }));
        this->watching = true;
      } else if (auto camera = std::dynamic_pointer_cast<sensors::CameraSensor>(sensor)) {
        if (!camera->Camera()) return;
        camera->SetActive(true);
        auto keep = camera.get();
        this->connections.push_back(camera->Camera()->ConnectNewImageFrame(
            [this, keep](const unsigned char *data, unsigned w, unsigned h, unsigned, const std::string &) {
              this->SendPicture('I', keep->LastMeasurementTime().Double(), w, h, data, w * h * 3);
            }));
        this->TellCamera(camera);
      }
    }
  }

  void TellCamera(sensors::CameraSensorPtr sensor) {
    auto camera = sensor->Camera();
    std::ostringstream out;
    out.precision(12);
    auto parent = this->world->EntityByName(sensor->ParentName());
    auto pose = parent ? sensor->Pose() + parent->WorldPose() : sensor->Pose();
    out << "{\"width\":" << camera->ImageWidth() << ",\"height\":" << camera->ImageHeight()
        << ",\"hfov\":" << camera->HFOV().Radian() << ",\"near\":" << camera->NearClip()
        << ",\"far\":" << camera->FarClip() << ",\"rate\":" << sensor->UpdateRate() << ",\"pose\":" << Text(pose)
        << '}';
    this->Send('C', out.str());
  }

  void SendPicture(char kind, double time, uint32_t width, uint32_t height, const void *data, size_t size) {
    std::string head(reinterpret_cast<char *>(&time), 8);
    head.append(reinterpret_cast<char *>(&width), 4);
    head.append(reinterpret_cast<char *>(&height), 4);
    this->Send(kind, head, data, size);
  }

  physics::ModelPtr model;
  physics::WorldPtr world;
  std::map<std::string, Actuated> actuated;
  std::map<std::string, std::string> topics;
  std::map<std::string, double> forces;
  std::vector<std::string> names;
  std::vector<Point> points;
  size_t index = 0;
  bool fresh = false, told = false, watching = false;
  double began = 0.0, last = 0.0, nextState = 0.0;
  int socket = -1;
  std::atomic<bool> closing{false};
  std::thread reader;
  std::mutex sending, commanding;
  std::vector<std::string> commands;
  std::vector<event::ConnectionPtr> connections;
  event::ConnectionPtr update;
};

GZ_REGISTER_MODEL_PLUGIN(MmrobotBridge)

}  // namespace gazebo
