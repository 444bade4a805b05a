"""The words of the report."""

# ruff: noqa: RUF001 - Chinese has its own punctuation

from __future__ import annotations

from typing import Final

from lamppost.provisioning import words

TEXTS: Final = {
    "report.title": ("Acceptance record", "验收记录"),
    "report.of": ("{node} at {site}", "{site} {node}"),
    "report.green": ("Everything is as it should be.", "一切正常。"),
    "report.yellow": ("It works; {count} things should be looked at.", "可以工作；有 {count} 项需要注意。"),
    "report.red": ("{count} things do not work.", "有 {count} 项不能工作。"),
    "report.node": ("Node", "节点"),
    "report.site": ("Site", "站点"),
    "report.position": ("Position (WGS 84)", "位置（WGS 84）"),
    "report.hub": ("Hub", "平台"),
    "report.technician": ("Technician", "技术员"),
    "report.at": ("Time", "时间"),
    "report.checks": ("Checks", "检查"),
    "report.check": ("Check", "项目"),
    "report.result": ("Result", "结果"),
    "report.todo": ("To do", "处理"),
    "report.colour.green": ("good", "正常"),
    "report.colour.yellow": ("look", "注意"),
    "report.colour.red": ("broken", "故障"),
    "report.devices": ("Devices", "设备"),
    "report.device": ("Device", "设备"),
    "report.where": ("Line", "线路"),
    "report.readings": ("Readings", "读数"),
    "report.no-readings": ("no readings", "无读数"),
    "report.pictured": ("see its picture", "见画面"),
    "report.bad": ("no value", "无值"),
    "report.off": ("switched off", "已停用"),
    "report.cameras": ("Cameras", "摄像机"),
    "report.no-picture": ("no picture: {why}", "没有画面：{why}"),
    "report.slow": ("none within {seconds:g} s", "{seconds:g} 秒内没有"),
    "report.no-places": ("no zones and no lines", "没有区域和线"),
    "report.zones": ("zones", "区域"),
    "report.lines": ("lines", "线"),
    "report.rules": ("Rules", "规则"),
    "report.rule": ("Rule", "规则"),
    "report.kind": ("Kind", "种类"),
    "report.settings": ("Settings", "设置"),
    "report.versions": ("Versions and hashes (SHA-256)", "版本与哈希（SHA-256）"),
    "report.software": ("Software", "软件"),
    "report.package": ("program files", "程序文件"),
    "report.config": ("Configuration", "配置"),
    "report.model": ("Model {name}", "模型 {name}"),
    "report.system": ("System", "系统"),
    "report.signed": ("Date, name and signature", "日期、姓名、签字"),
    "report.for-city": ("For the city", "市方"),
}
words.add(TEXTS)
