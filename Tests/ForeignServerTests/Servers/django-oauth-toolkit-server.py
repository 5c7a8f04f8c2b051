"""Django OAuth Toolkit, an authorization server from PyPI, with one user, on a loopback port.

django-oauth-toolkit-server.py FILE    serves until it is ended; the file gets the address
"""

import socketserver
import sys
import wsgiref.simple_server

import django
from browse import NAME, PASSWORD, announce
from django.conf import settings


class Server(socketserver.ThreadingMixIn, wsgiref.simple_server.WSGIServer):
    daemon_threads = True
    request_queue_size = 128


def serve(file):
    server = Server(("127.0.0.1", 0), wsgiref.simple_server.WSGIRequestHandler)
    settings.configure(
        SECRET_KEY="for this run only",
        ALLOWED_HOSTS=["127.0.0.1"],
        USE_TZ=True,
        ROOT_URLCONF="addresses",
        LOGIN_URL="/login/",
        INSTALLED_APPS=[
            "django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions",
            "oauth2_provider",
        ],
        MIDDLEWARE=[
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
        ],
        DATABASES={"default": {
            "ENGINE": "django.db.backends.sqlite3", "NAME": file + ".database",
            "OPTIONS": {"timeout": 20, "transaction_mode": "IMMEDIATE"},
        }},
        # A fast one: the one password is no secret.
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
        TEMPLATES=[{
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "OPTIONS": {
                "loaders": [
                    ("django.template.loaders.locmem.Loader", {
                        "registration/login.html":
                            "<form method=post>{% csrf_token %}{{ form }}</form>",
                    }),
                    "django.template.loaders.app_directories.Loader",
                ],
                "context_processors": [
                    "django.template.context_processors.request",
                    "django.contrib.auth.context_processors.auth",
                ],
            },
        }],
        OAUTH2_PROVIDER={
            "ACCESS_TOKEN_EXPIRE_SECONDS": 3600,
            "ALLOWED_SCHEMES": ["http"],
            "ALLOW_LOCALHOST_LOOPBACK": True,
            "COMPLIANT_BCP_RFC9700_AUTHZ_RESPONSE_ISS": True,
            "DCR_ENABLED": True,
            "DCR_REGISTRATION_PERMISSION_CLASSES": (
                "oauth2_provider.dcr.AllowAllDCRPermission",),
            # RFC 9700 section 4.14.2: a spent refresh token revokes its whole family.
            "REFRESH_TOKEN_REUSE_PROTECTION": True,
        },
    )
    django.setup()
    sys.modules["addresses"] = addresses()

    from django.contrib.auth.models import User
    from django.core.management import call_command
    from django.core.wsgi import get_wsgi_application

    call_command("migrate", verbosity=0)
    User.objects.create_user(NAME, password=PASSWORD)
    server.set_app(get_wsgi_application())
    announce(file, f"http://127.0.0.1:{server.server_port}")
    server.serve_forever()


def addresses():
    """The module that names what is served where."""
    import types

    from django.contrib.auth.views import LoginView
    from django.urls import include, path

    module = types.ModuleType("addresses")
    module.urlpatterns = [
        path("login/", LoginView.as_view()), path("", include("oauth2_provider.urls")),
    ]
    return module


serve(sys.argv[1])
