"""The words of `lamppost init` and `lamppost scan`."""

# ruff: noqa: RUF001 - Chinese has its own punctuation

from __future__ import annotations

from typing import Final

from lamppost.provisioning import words

TEXTS: Final = {
    "init.id": ("Node id, as on the pole's door", "节点编号（见灯杆门）"),
    "init.site": ("Site", "站点"),
    "init.lat": ("Latitude in degrees (empty if unknown)", "纬度（度，未知则留空）"),
    "init.lon": ("Longitude in degrees (empty if unknown)", "经度（度，未知则留空）"),
    "init.hub": (
        "Hub, as mqtts://host:8883 (empty for none yet)",
        "平台，如 mqtts://host:8883（暂无则留空）",
    ),
    "init.written": ("{file}: written for {id} at {site}", "{file}：已为 {site} 的 {id} 写入"),
    "init.backup": ("the old file is {backup}", "旧文件保存为 {backup}"),
    "init.next": ("next: lamppost device add, lamppost check", "下一步：lamppost device add，lamppost check"),
    "init.which": ("Which pole is this", "这是哪根灯杆"),
    "init.poles": ("{count} poles; say which with --pole ID", "共 {count} 根灯杆；用 --pole ID 指定"),
    "init.again": (
        "begun before and interrupted: what was answered then is proposed",
        "上次未完成：已填写的内容作为默认值",
    ),
    "init.kept": (
        "nothing is written yet; what was answered is proposed next time",
        "尚未写入；已填写的内容下次作为默认值",
    ),
    "init.needed": ("this is needed", "此项必填"),
    "scan.nothing": (
        "nothing answered; {ports} serial ports, {hosts} addresses",
        "没有应答；{ports} 个串口，{hosts} 个地址",
    ),
    "scan.stopped": ("stopped; found until then: {count}", "已停止；此前找到 {count} 个"),
    "scan.used": (
        "{path}: the running agent uses it; stop the agent to scan it",
        "{path}：代理正在使用；如需扫描请先停止代理",
    ),
    "scan.added": ("{file}: {name} added", "{file}：已添加 {name}"),
}
words.add(TEXTS)
