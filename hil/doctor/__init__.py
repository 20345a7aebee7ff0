# SPDX-License-Identifier: Apache-2.0
"""Is this bench fit for a night? Every part of it looked at without harm, and what mends each fault."""

from hil.doctor.bench_checks import bench_findings
from hil.doctor.finding import Finding, State
from hil.doctor.host_checks import host_findings
from hil.doctor.machine import Machine

__all__ = ["Finding", "Machine", "State", "bench_findings", "host_findings"]
