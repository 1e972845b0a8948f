"""Django's backend in the service's own terms; PyMySQL is the driver that it asks for."""

import pymysql

pymysql.install_as_MySQLdb()
