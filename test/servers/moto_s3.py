"""Moto's S3 on a port, one request at a time: each is atomic then, as they are at Amazon.

    PYTHONPATH=... python3 moto_s3.py 9000
"""

import sys

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import run_simple

run_simple("127.0.0.1", int(sys.argv[1]), DomainDispatcherApplication(create_backend_app), threaded=False)
