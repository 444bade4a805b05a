"""What the checks say: what is so, and (``.todo``) what to do about it."""

# ruff: noqa: RUF001 - Chinese has its own punctuation

from __future__ import annotations

from typing import Final

from lamppost.provisioning import words

TEXTS: Final = {
    "check.slow": ("no result within {seconds:g} s", "{seconds:g} 秒内没有结果"),
    "check.slow.todo": (
        "look at it alone: lamppost check --only {name}",
        "单独检查：lamppost check --only {name}",
    ),
    "check.broke": ("the check itself failed: {why}", "检查本身出错：{why}"),
    "check.broke.todo": (
        "please report it; `lamppost support` packs what is needed",
        "请报告此问题；`lamppost support` 会打包所需资料",
    ),
    "config.good": ("{path}: good", "{path}：正确"),
    "config.not-taken": (
        "the agent still runs with the file as it was: {why}",
        "代理仍按旧文件运行：{why}",
    ),
    "config.not-taken.todo": ("mend the file; lamppost config check", "修正文件；lamppost config check"),
    "agent.runs": ("runs for {span} now, {rss:.0f} MB", "已运行 {span}，占用 {rss:.0f} MB"),
    "agent.down": ("does not run; the devices were asked directly", "未运行；已直接询问各设备"),
    "agent.down.todo": ("systemctl start lamppost", "systemctl start lamppost"),
    "agent.silent": (
        "runs, but has written no status for {span}",
        "正在运行，但已 {span} 未写状态",
    ),
    "agent.silent.todo": ("systemctl restart lamppost", "systemctl restart lamppost"),
    # --- devices
    "device.ok": ("{what}", "{what}"),
    "device.answered": ("answered: {what}", "有应答：{what}"),
    "device.delivers": ("delivers; last sample {ago} ago: {what}", "正常；最近数据 {ago} 前：{what}"),
    "device.off": ("switched off (enabled = false)", "已停用（enabled = false）"),
    "device.off.todo": ("remove `enabled = false` if it should be read", "如需读取，删去 `enabled = false`"),
    "device.starting": ("has not delivered anything yet", "尚无数据"),
    "device.starting.todo": ("look again in a minute", "一分钟后再看"),
    "device.degraded": ("delivers, but {why}", "有数据，但 {why}"),
    "device.degraded.todo": (
        "lamppost status --device {device} shows it",
        "用 lamppost status --device {device} 查看",
    ),
    "device.senseless": (
        "answers, but {bad} of {count} quantities have no value: {what}",
        "有应答，但 {count} 个量中 {bad} 个无值：{what}",
    ),
    "device.bad": ("delivers, but no value for {what}", "有数据，但下列量无值：{what}"),
    "device.bad.todo": (
        "check the sensor, and whether its profile fits",
        "检查传感器，以及配置文件（profile）是否合适",
    ),
    "device.failed": ("{why}", "{why}"),
    "device.failed.todo": ("check power, cable and address", "检查电源、线缆和地址"),
    "device.told.todo": ("{advice}", "{advice}"),
    "device.unknown": ("the running agent does not know it yet", "运行中的代理还不知道它"),
    "device.unknown.todo": (
        "let the agent read its file: systemctl reload lamppost",
        "让代理重读文件：systemctl reload lamppost",
    ),
    "device.queue": ("not asked: its line {line} was too slow", "未询问：线路 {line} 太慢"),
    "device.no-devices": ("no device is configured", "尚未配置设备"),
    "device.no-devices.todo": ("lamppost scan, lamppost device add", "lamppost scan，lamppost device add"),
    # --- picture
    "picture.ok": ("the picture is good ({what})", "画面正常（{what}）"),
    "picture.ok-agent": ("the picture is good, says the agent", "代理报告画面正常"),
    "picture.unknown": ("the agent has not judged the picture yet", "代理尚未判断画面"),
    "picture.unknown.todo": ("look again in a minute", "一分钟后再看"),
    "picture.black": ("the picture is black", "画面全黑"),
    "picture.black.todo": ("is the lens covered, or the night without light?", "镜头被遮挡？夜间无灯？"),
    "picture.blinded": ("half of the picture is white", "画面过曝"),
    "picture.blinded.todo": ("turn the camera away from sun and lamps", "调整镜头，避开太阳和灯光"),
    "picture.frozen": ("the picture stands still", "画面冻结"),
    "picture.frozen.todo": ("restart the camera", "重启摄像机"),
    "picture.blurred": ("the picture is blurred", "画面模糊"),
    "picture.blurred.todo": ("clean the lens; focus", "清洁镜头；调焦"),
    "picture.moved": ("the camera looks elsewhere than before", "摄像机朝向已改变"),
    "picture.moved.todo": (
        "turn it back, or draw its zones anew: lamppost camera zone",
        "转回原位，或重画区域：lamppost camera zone",
    ),
    "picture.other": ("the picture is {word}", "画面：{word}"),
    "picture.other.todo": (
        "look at it: lamppost camera snapshot {device}",
        "查看：lamppost camera snapshot {device}",
    ),
    "picture.none": ("no picture: {why}", "没有画面：{why}"),
    "picture.no-zones": ("the picture is good, but has no zones", "画面正常，但没有区域"),
    "picture.no-zones.todo": ("draw them: lamppost camera zone", "画区域：lamppost camera zone"),
    # --- models and rules
    "model.ok": ("{version}, loads and runs", "{version}，可加载并运行"),
    "model.bad": ("{why}", "{why}"),
    "model.bad.todo": (
        "install the model again; lamppost model verify {model}",
        "重新安装模型；lamppost model verify {model}",
    ),
    "rules.ok": ("{count} configured, no remarks", "{count} 条规则，均无备注"),
    "rules.none": ("no rule is configured: nothing will be reported", "没有规则：不会上报任何事件"),
    "rules.none.todo": ("add a rule: docs/rules.md", "添加规则：docs/rules.md"),
    "rule.remark": ("{what}", "{what}"),
    "rule.remark.todo": (
        "see docs/rules.md and docs/waterlogging.md",
        "见 docs/rules.md 和 docs/waterlogging.md",
    ),
    "rule.told.todo": ("{advice}", "{advice}"),
    # --- the box
    "disk.ok": ("{free} free of {total} at {path}", "{path}：共 {total}，可用 {free}"),
    "disk.low": (
        "only {free} free at {path}; the spool may want {want} more",
        "{path} 仅剩 {free}；缓存可能还需 {want}",
    ),
    "disk.low.todo": ("free some room, or lower spool.max_mb", "清理空间，或减小 spool.max_mb"),
    "disk.full": ("{free} free at {path}: events cannot be kept", "{path} 仅剩 {free}：无法保存事件"),
    "disk.readonly": ("{path} is read-only: events cannot be kept", "{path} 只读：无法保存事件"),
    "disk.readonly.todo": (
        "the card may be worn out: replace it, or mount it writable",
        "存储卡可能已损坏：更换，或重新以可写方式挂载",
    ),
    "disk.missing": ("{path} cannot be looked at: {why}", "无法查看 {path}：{why}"),
    "disk.missing.todo": ("make the folder, or mend node.state_dir", "创建该目录，或修正 node.state_dir"),
    "wear.ok": ("{disk}: up to {percent} % of its life used", "{disk}：寿命已用不超过 {percent} %"),
    "wear.old": ("{disk}: up to {percent} % of its life used", "{disk}：寿命已用约 {percent} %"),
    "wear.old.todo": ("replace it at the next visit", "下次巡检时更换"),
    "spool.ok": ("{depth} messages wait, none was dropped", "{depth} 条消息等待，无丢弃"),
    "spool.dropped": ("{dropped} messages were dropped, {depth} wait", "已丢弃 {dropped} 条，{depth} 条等待"),
    "spool.dropped.todo": (
        "lamppost spool says why; is the link down for long?",
        "用 lamppost spool 查原因；是否长期断网？",
    ),
    "spool.trouble": ("{why}", "{why}"),
    "spool.trouble.todo": ("lamppost spool", "lamppost spool"),
    "spool.none": ("no spool yet; the agent makes it when it first runs", "尚无缓存；代理首次运行时创建"),
    "clock.ok": ("{now}, synchronised", "{now}，已同步"),
    "clock.gnss": ("{now} by GNSS; the system's own clock is not set", "{now}，来自 GNSS；系统时钟未设置"),
    "clock.unset": ("is not set: it shows {now}", "未设置：显示 {now}"),
    "clock.unset.todo": (
        "timedatectl set-ntp true, or set it: date -s; a box without network wants a clock chip or GNSS",
        "timedatectl set-ntp true，或用 date -s 设置；无网络时需时钟芯片或 GNSS",
    ),
    "clock.free": ("{now}, but nothing keeps it right", "{now}，但未与时间源同步"),
    "clock.free.todo": (
        "timedatectl set-ntp true; is the time server reachable?",
        "timedatectl set-ntp true；时间服务器可达吗？",
    ),
    "clock.unknown": ("{now}; whether it is synchronised cannot be seen here", "{now}；此处无法判断是否同步"),
    "temperature.ok": ("{degrees:.0f} °C", "{degrees:.0f} °C"),
    "temperature.none": ("this box does not say", "本机不提供温度"),
    "temperature.warm": ("{degrees:.0f} °C is warm", "{degrees:.0f} °C，偏高"),
    "temperature.hot": ("{degrees:.0f} °C: the box slows down or stops", "{degrees:.0f} °C：会降频或停机"),
    "temperature.hot.todo": ("shade it, clear its vents, look at its fan", "遮阳，清理通风口，检查风扇"),
    "power.ok": ("steady", "稳定"),
    "power.weak": ("{what}", "{what}"),
    "power.weak.todo": ("a stronger power supply or a shorter cable", "换更大功率的电源或更短的线"),
    "power.under": ("under-voltage now", "当前欠压"),
    "power.under-before": ("under-voltage since the box started", "开机以来曾欠压"),
    "power.slow": ("slowed down now", "当前降频"),
    # --- rights
    "permissions.ok": ("{user} may use the ports and folders it needs", "{user} 可使用所需端口和目录"),
    "permissions.port": ("{user} may not open {path}", "{user} 无权打开 {path}"),
    "permissions.port.todo": (
        "sudo usermod -aG {group} {user}, then log in again or restart the service",
        "sudo usermod -aG {group} {user}，然后重新登录或重启服务",
    ),
    "permissions.folder": ("{user} may not write {path}", "{user} 无权写入 {path}"),
    "permissions.folder.todo": ("sudo chown {user} {path}", "sudo chown {user} {path}"),
    "permissions.file": ("{user} may not read {path}", "{user} 无权读取 {path}"),
    "permissions.key": ("others may read {path} (mode {mode:o})", "他人可读 {path}（权限 {mode:o}）"),
    "permissions.key.todo": ("chmod 600 {path}", "chmod 600 {path}"),
    # --- hub
    "hub.none": ("no hub is configured: nothing is sent", "未配置平台：不会发送任何数据"),
    "hub.none.todo": ("add [hub] with its url", "添加 [hub] 及其 url"),
    "hub.reached": ("{where} is there", "{where} 可达"),
    "hub.trusted": ("{version}, certificate and name are good", "{version}，证书和名称正确"),
    "hub.plain": ("not encrypted (mqtt://)", "未加密（mqtt://）"),
    "hub.plain.todo": ("use mqtts:// outside of a closed network", "非封闭网络请用 mqtts://"),
    "hub.greeted": ("MQTT {protocol}: the hub lets this box in", "MQTT {protocol}：平台接受本机"),
    "hub.failed": ("{why}", "{why}"),
    "hub.dns.todo": (
        "check hub.url and the name service (resolvectl query)",
        "检查 hub.url 和域名服务（resolvectl query）",
    ),
    "hub.tcp.todo": (
        "check cable, SIM, firewall, and host and port of hub.url",
        "检查网线、SIM 卡、防火墙，以及 hub.url 的主机和端口",
    ),
    "hub.tls.todo": (
        "check hub.ca_file and the box's clock; does the hub speak TLS there?",
        "检查 hub.ca_file 和本机时钟；平台该端口是否使用 TLS？",
    ),
    "hub.mqtt.todo": (
        "check user and password with the hub's people; for a certificate: lamppost enrol",
        "与平台方核对用户名和密码；证书请执行 lamppost enrol",
    ),
    "trip.ok": ("a message came back after {ms:.0f} ms", "测试消息 {ms:.0f} 毫秒后返回"),
    "trip.one-way": (
        "the hub took a message (PUBACK), but does not let this box read it back",
        "平台已收到消息（PUBACK），但本机无权读回",
    ),
    "trip.refused": ("the hub refuses messages under {topic}: {why}", "平台拒绝主题 {topic} 的消息：{why}"),
    "trip.acl.todo": (
        "let the hub's ACL allow this box to read and write {topic}",
        "请平台 ACL 允许本机读写 {topic}",
    ),
    "trip.no-puback": (
        "no answer (PUBACK) to a message within {seconds:g} s",
        "{seconds:g} 秒内未收到 PUBACK",
    ),
    "trip.no-puback.todo": ("is the hub overloaded, or the link lossy?", "平台过载？链路丢包？"),
    # --- certificate
    "cert.none": ("the box has no certificate of its own", "本机没有证书"),
    "cert.none.todo": ("enrol the box: lamppost enrol", "注册本机：lamppost enrol"),
    "cert.pending": ("a certificate was asked for; none has come yet", "已申请证书，尚未收到"),
    "cert.pending.todo": (
        "run lamppost enrol again, or bring it: lamppost enrol --certificate FILE",
        "再次执行 lamppost enrol，或带回证书：lamppost enrol --certificate FILE",
    ),
    "cert.unused": ("a certificate is here, but not in use", "已有证书，尚未启用"),
    "cert.unused.todo": ("go on with it: lamppost enrol", "继续处理：lamppost enrol"),
    "cert.ok": ("{subject}, {days} days left, until {ends}", "{subject}，剩余 {days} 天，至 {ends}"),
    "cert.late": ("only {days} days left, until {ends}", "仅剩 {days} 天，至 {ends}"),
    "cert.late.todo": (
        "it should have been renewed: lamppost enrol --renew says why not",
        "应已续期：lamppost enrol --renew 会说明原因",
    ),
    "cert.over": ("expired on {ends}", "已于 {ends} 过期"),
    "cert.again.todo": ("enrol anew, with a new label: lamppost enrol", "用新标签重新注册：lamppost enrol"),
    "cert.early": ("is not valid before {begins}; the clock says {now}", "{begins} 之前无效；时钟为 {now}"),
    "cert.key": ("{key} is not the key of {cert}", "{key} 与 {cert} 不匹配"),
    "cert.unreadable": ("{why}", "{why}"),
    "cert.issued": (
        "issued by the trusted authority, SHA-256 {fingerprint}",
        "由受信任机构签发，SHA-256 {fingerprint}",
    ),
    "cert.stranger": (
        "issued by {issuer}, which is not in hub.ca_file ({fingerprint})",
        "签发者 {issuer} 不在 hub.ca_file 中（{fingerprint}）",
    ),
    "cert.stranger.todo": ("does the hub trust this issuer? see hub/mqtt", "平台信任该签发者吗？见 hub/mqtt"),
}
words.add(TEXTS)
