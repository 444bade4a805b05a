"""A real RTSP camera, run by the system's Python: ``rtsp_server.py [USER PASSWORD [PORT]]`` prints its port.

base, good, bad and ugly of the distribution.
"""

import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

PIPELINE = (
    "( videotestsrc is-live=true pattern=ball ! video/x-raw,width=640,height=360,framerate=25/1 ! "
    "{encoder} name=pay0 pt=96 )"
)
STREAMS = {
    "/stream1": "x264enc tune=zerolatency speed-preset=ultrafast key-int-max=25 "
    "! rtph264pay config-interval=1",
    "/odd": "vp8enc deadline=1 ! rtpvp8pay",
}
SOUND = "( audiotestsrc is-live=true ! alawenc ! rtppcmapay name=pay0 pt=8 )"


def main():
    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(sys.argv[3] if len(sys.argv) > 3 else "0")
    mounts = server.get_mount_points()
    permissions = GstRtspServer.RTSPPermissions()
    for permission in ("media.factory.access", "media.factory.construct"):
        permissions.add_permission_for_role("viewer", permission, True)
    launches = {path: PIPELINE.format(encoder=encoder) for path, encoder in STREAMS.items()}
    for path, launch in {**launches, "/sound": SOUND}.items():
        factory = GstRtspServer.RTSPMediaFactory()
        factory.set_launch(launch)
        factory.set_shared(True)
        if len(sys.argv) > 2 and sys.argv[1]:
            factory.set_permissions(permissions)
        mounts.add_factory(path, factory)
    if len(sys.argv) > 2 and sys.argv[1]:
        auth = GstRtspServer.RTSPAuth()
        auth.set_supported_methods(2)  # digest
        token = GstRtspServer.RTSPToken()
        token.set_string("media.factory.role", "viewer")
        auth.add_digest(sys.argv[1], sys.argv[2], token)
        server.set_auth(auth)
    server.attach(None)
    print(server.get_bound_port(), flush=True)
    GLib.MainLoop().run()


main()
