"""The words of `lamppost status`."""

# ruff: noqa: RUF001 - Chinese has its own punctuation

from __future__ import annotations

from typing import Final

from lamppost.provisioning import words

TEXTS: Final = {
    "status.none": (
        (
            "no agent has left a status in {run_dir}; start it with `lamppost run`, "
            "or name its configuration with --config"
        ),
        "{run_dir} 中没有状态；请用 `lamppost run` 启动，或用 --config 指定配置",
    ),
    "status.head": (" at {site} · lamppost {version} · ", "（{site}）· lamppost {version} · "),
    "status.running": ("running", "运行中"),
    "status.dead": ("NOT RUNNING", "未运行"),
    "status.up": (" · up {span} · {rss:.0f} MB", " · 已运行 {span} · {rss:.0f} MB"),
    "status.seen": (" · last seen {ago}", " · 最后一次 {ago}"),
    "status.config": (
        "the changed configuration was not taken: {why}",
        "修改后的配置未被采用：{why}",
    ),
    "status.no-detector": (
        "nothing is seen, because there is no detector: {why}",
        "没有检测模型，无法识别：{why}",
    ),
    "status.no-segmenter": (
        "no water is seen, because there is no segmenter: {why}",
        "没有积水模型，无法识别积水：{why}",
    ),
    "status.clock": (
        "the box's clock is not set; times are uncertain",
        "时钟未设置；时间不可信",
    ),
    "status.hub": ("hub: ", "平台："),
    "status.hub-none": ("hub: none configured", "平台：未配置"),
    "status.connected": ("connected", "已连接"),
    "status.not-connected": ("not connected", "未连接"),
    "status.to-since": (" to {url} since {ago}", "，{url}，{ago}起"),
    "status.to": (" to {url}", "，{url}"),
    "status.next-try": (" (next try {until})", "（{until}重试）"),
    "status.spool": ("spool: ", "缓存："),
    "status.dropped": (" ({count} dropped)  ", "（丢弃 {count}）  "),
    "status.device": ("device", "设备"),
    "status.state": ("state", "状态"),
    "status.last-sample": ("last sample", "最近数据"),
    "status.samples": ("samples", "数据量"),
    "status.restarts": ("restarts", "重启"),
    "status.faults": ("faults", "故障"),
    "status.gnss": (" · time by GNSS", " · 时间来自 GNSS"),
    "status.never": ("never", "从未"),
    "status.state.ok": ("ok", "正常"),
    "status.state.starting": ("starting", "启动中"),
    "status.state.degraded": ("degraded", "降级"),
    "status.state.stalled": ("stalled", "停滞"),
    "status.state.failing": ("failing", "故障"),
    "status.no-value": ("no value: {names}", "无值：{names}"),
    "status.open-events": ("open events", "进行中的事件"),
    "status.kind": ("kind", "种类"),
    "status.zone": ("zone", "区域"),
    "status.rule": ("rule", "规则"),
    "status.since": ("since", "开始"),
    "status.quantity": ("quantity", "量"),
    "status.value": ("value", "值"),
    "status.unit": ("unit", "单位"),
    "status.read": ("read", "读取"),
    "status.bad": ("bad", "无效"),
    "status.ago": ("{span} ago", "{span}前"),
    "status.in": ("in {span}", "{span}后"),
}
words.add(TEXTS)
