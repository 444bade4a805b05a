// Everything that the page says itself, in English and Chinese. What devices and checks say comes from the box.

const TEXTS = {
  cameras: ["Cameras", "摄像机"],
  devices: ["Devices", "设备"],
  events: ["Events", "事件"],
  checks: ["Checks", "检查"],
  other: ["中文", "English"],
  "agent.runs": ["agent runs", "代理运行中"],
  "agent.down": ["agent does not run", "代理未运行"],
  "agent.hangs": ["agent does not answer", "代理无响应"],
  "hub.on": ["hub connected", "已连接中心"],
  "hub.off": ["hub not connected", "未连接中心"],
  "hub.none": ["no hub configured", "未配置中心"],
  waiting: ["{count} waiting", "{count} 条待发"],
  dropped: ["{count} dropped", "丢弃 {count} 条"],
  lost: ["The box does not answer. Is lamppost portal still running, and the phone still in the same network?",
    "设备无响应。请确认 lamppost portal 仍在运行，且手机仍在同一网络。"],
  paused: ["Paused: nobody has touched the page for a while.", "已暂停：页面长时间无操作。"],
  "go-on": ["Go on", "继续"],
  "pin.title": ["PIN of the terminal", "终端显示的 PIN"],
  "pin.enter": ["Enter", "进入"],
  "pin.wrong": ["Wrong PIN.", "PIN 错误。"],
  "pin.wait": ["Wait {seconds} s.", "请等待 {seconds} 秒。"],
  "pin.locked": ["Too many wrong PINs. Start lamppost portal again.", "错误次数过多，请重新启动 lamppost portal。"],
  "no-cameras": ["No camera is configured: lamppost scan finds them.", "未配置摄像机：可用 lamppost scan 查找。"],
  "no-devices": ["No device is configured: lamppost scan finds them.", "未配置设备：可用 lamppost scan 查找。"],
  "no-events": ["No events yet.", "暂无事件。"],
  "no-zones": ["No zones yet.", "暂无区域。"],
  "no-picture": ["No picture", "无画面"],
  ago: ["{span} ago", "{span}前"],
  zones: ["Zones", "区域"],
  "new-zone": ["New zone", "新建区域"],
  "zone-name": ["Name of the zone", "区域名称"],
  "zone-help": ["Tap the picture to set corners, drag them to move them.", "点按画面设置角点，拖动可移动。"],
  "zone-few": ["A zone needs three corners.", "区域至少需要三个角点。"],
  "zone-unnamed": ["The zone needs a name of letters, digits, - or _.", "请填写区域名称（字母、数字、- 或 _）。"],
  "zone-taken": ["There is a zone of this name already.", "已有同名区域。"],
  "remove-corner": ["Remove corner", "删除角点"],
  undo: ["Undo", "撤销"],
  back: ["Back", "返回"],
  save: ["Save", "保存"],
  "remove-zone": ["Remove zone", "删除区域"],
  "remove-sure": ["Remove zone {zone} and its rules?", "确定删除区域 {zone} 及其规则？"],
  parking: ["No parking: alarm after", "禁停：超过"],
  loitering: ["No staying: alarm after", "禁止逗留：超过"],
  waterlogging: ["Water on the road", "路面积水"],
  seconds: ["s", "秒报警"],
  "try": ["Try on the last {span}", "用最近 {span}试运行"],
  trying: ["Looking at the pictures…", "正在分析画面…"],
  "try.live": ["Now in the zone: {what}", "当前区域内：{what}"],
  nothing: ["nothing", "无"],
  "try.none": ["In the last {span} nothing would have alarmed.", "最近 {span}内不会报警。"],
  "try.alarms": ["In the last {span}, {count} alarm(s):", "最近 {span}内将报警 {count} 次："],
  "try.alarm": ["{kind} in {zone}, {ago} ago", "{zone}：{kind}，{ago}前"],
  "try.stood": ["stood {span}", "停留 {span}"],
  "try.there": ["stands there for {span}", "已停留 {span}"],
  "try.short": ["The pictures are shorter than the allowed time of {span}: wait, or try a shorter time.",
    "画面时长短于允许时间 {span}：请稍候，或先试较短时间。"],
  saved: ["Saved.", "已保存。"],
  "saved.told": ["The agent takes it now.", "代理正在应用。"],
  "saved.may-not": ["The agent takes it after: systemctl reload lamppost", "请执行 systemctl reload lamppost 使其生效。"],
  "saved.none": ["The agent takes it when it starts.", "代理启动后生效。"],
  dry: ["The road is dry now", "路面现在是干的"],
  "dry.help": ["Keeps the last pictures as those of the dry road: what looks wet in them is no water. Once by day and once by night.",
    "将最近画面保存为干燥路面参考：其中看似潮湿的不算积水。白天、夜间各做一次。"],
  "dry.kept": ["Kept for {light}, of {count} pictures.", "已保存（{light}），共 {count} 张。"],
  day: ["day", "白天"],
  night: ["night", "夜间"],
  open: ["open", "进行中"],
  "phase.open": ["began", "开始"],
  "phase.update": ["goes on", "持续"],
  "phase.close": ["ended", "结束"],
  "check.run": ["Check now", "立即检查"],
  "check.running": ["Checking…", "检查中…"],
  "check.green": ["All is well.", "一切正常。"],
  "check.yellow": ["It works, but look at what is yellow.", "可以运行，请查看黄色项。"],
  "check.red": ["Something is wrong.", "存在问题。"],
  spool: ["Waiting to be sent", "待发送"],
  lane: ["Lane", "通道"],
  depth: ["Count", "消息数"],
  size: ["Size", "大小"],
  oldest: ["Oldest", "最早"],
  drops: ["Lost", "已丢弃"],
  off: ["switched off", "已停用"],
  "s": ["{n} s", "{n} 秒"],
  "min": ["{n} min", "{n} 分"],
  "h": ["{n} h", "{n} 小时"],
  "d": ["{n} d", "{n} 天"],
};

const KEY = "lamppost-language";
let language = localStorage.getItem(KEY) ?? (navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en");

export function lang() {
  return language;
}

export function switchLanguage() {
  language = language === "en" ? "zh" : "en";
  localStorage.setItem(KEY, language);
}

// The text of a key with its values; a key that nobody wrote is a bug, and shows as itself.
export function say(key, values = {}) {
  const text = TEXTS[key]?.[language === "zh" ? 1 : 0] ?? key;
  return text.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}

// A duration with its unit.
export function span(seconds) {
  for (const [unit, size] of [["d", 86400], ["h", 3600], ["min", 60]]) {
    if (seconds >= size) return say(unit, { n: Number((seconds / size).toFixed(seconds < 10 * size ? 1 : 0)) });
  }
  return say("s", { n: Math.max(0, Math.round(seconds)) });
}
