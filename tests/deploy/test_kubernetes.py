"""Do the manifests say what a cluster takes, and do they fit each other?"""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate  # type: ignore[import-untyped]  # the library has no types
import pytest
import yaml

from agent.config import load
from servers.program import ROOT

BASE = ROOT / "deploy" / "kubernetes"
GRAFANA = ROOT / "grafana"
VERSIONS = ("1.30", kubernetes_validate.latest_version())
MOST = 256 * 1024  # octets of an annotation; `kubectl apply` keeps the whole object in one


def kustomization(folder: Path) -> Any:
    return yaml.safe_load((folder / "kustomization.yaml").read_text(encoding="utf-8"))


def resources(folder: Path) -> Iterator[Any]:
    """Yield all objects of a kustomization, as kustomize reads them."""
    for name in kustomization(folder)["resources"]:
        path = (folder / name).resolve()
        if path.is_dir():
            yield from resources(path)
        else:
            # kustomize reads no file outside of the folder of its kustomization
            assert path.is_relative_to(folder.resolve())
            loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
            yield from yaml.load_all(path.read_text(encoding="utf-8"), loader)


@pytest.fixture(scope="module")
def objects() -> list[Any]:
    return list(resources(BASE))


def one(objects: list[Any], kind: str) -> Any:
    (found,) = (each for each in objects if each["kind"] == kind)
    return found


def test_every_file_of_the_folder_is_used() -> None:
    whole = kustomization(BASE)
    used = {*whole["resources"], "kustomization.yaml"}
    used |= {name for each in whole["configMapGenerator"] for name in each["files"]}
    assert {path.name for path in BASE.iterdir()} == used - {"../../grafana"}


@pytest.mark.parametrize("version", VERSIONS)
def test_a_cluster_takes_every_object_of_its_own_kinds(objects: list[Any], version: str) -> None:
    own = [each for each in objects if not each["apiVersion"].startswith("monitoring.coreos.com")]
    assert len(own) == 7
    for each in own:
        kubernetes_validate.validate(each, version, strict=True)


def test_no_two_objects_have_one_name(objects: list[Any]) -> None:
    names = [(each["kind"], each["metadata"]["name"]) for each in objects]
    assert len(names) == len(set(names))


def test_the_operator_gets_rules_in_its_form(objects: list[Any]) -> None:
    rules = [each for each in objects if each["kind"] == "PrometheusRule"]
    assert rules
    for each in rules:
        assert each["apiVersion"] == "monitoring.coreos.com/v1"
        assert set(each["spec"]) == {"groups"}
        for group in each["spec"]["groups"]:
            assert all({"expr"} < set(rule) for rule in group["rules"])


def test_whoever_selects_finds_the_agent(objects: list[Any]) -> None:
    pod = one(objects, "Deployment")["spec"]["template"]
    labels = pod["metadata"]["labels"].items()
    service = one(objects, "Service")
    selectors = [
        one(objects, "Deployment")["spec"]["selector"]["matchLabels"],
        service["spec"]["selector"],
        one(objects, "NetworkPolicy")["spec"]["podSelector"]["matchLabels"],
        one(objects, "PodDisruptionBudget")["spec"]["selector"]["matchLabels"],
    ]
    assert all(selector.items() <= labels for selector in selectors)
    common = kustomization(BASE)["labels"][0]["pairs"]
    monitor = one(objects, "ServiceMonitor")["spec"]
    assert (
        monitor["selector"]["matchLabels"].items()
        <= {
            **common,
            **service["metadata"]["labels"],
        }.items()
    )
    ports = {port["name"] for port in pod["spec"]["containers"][0]["ports"]}
    named = {port["targetPort"] for port in service["spec"]["ports"]}
    named |= {port["name"] for port in service["spec"]["ports"]}
    named |= {endpoint["port"] for endpoint in monitor["endpoints"]}
    assert named == {"http"} < ports


def test_the_job_is_called_as_rules_and_dashboards_have_it(objects: list[Any]) -> None:
    spec = one(objects, "ServiceMonitor")["spec"]
    (endpoint,) = spec["endpoints"]
    assert endpoint["relabelings"] == [{"targetLabel": "job", "replacement": "mailflow"}]
    assert {"sampleLimit", "labelLimit", "labelValueLengthLimit"} <= spec.keys()


def test_the_pod_is_as_restricted_as_the_standard_asks(objects: list[Any]) -> None:
    namespace = one(objects, "Namespace")["metadata"]
    assert namespace["name"] == kustomization(BASE)["namespace"]
    assert namespace["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    pod = one(objects, "Deployment")["spec"]["template"]["spec"]
    whole, container = pod["securityContext"], pod["containers"][0]["securityContext"]
    assert whole["runAsNonRoot"] is True
    assert whole["runAsUser"] == whole["runAsGroup"] == whole["fsGroup"] == 65532
    assert whole["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert pod["automountServiceAccountToken"] is False
    assert one(objects, "ServiceAccount")["automountServiceAccountToken"] is False
    assert set(pod["containers"][0]["resources"]["limits"]) == {"memory"}


def test_there_is_never_a_second_agent_on_one_state(objects: list[Any]) -> None:
    spec = one(objects, "Deployment")["spec"]
    assert (spec["replicas"], spec["strategy"]) == (1, {"type": "Recreate"})
    pod = spec["template"]["spec"]
    claims = [
        each["persistentVolumeClaim"]["claimName"]
        for each in pod["volumes"]
        if "persistentVolumeClaim" in each
    ]
    assert claims == [one(objects, "PersistentVolumeClaim")["metadata"]["name"]]
    mounted = {mount["mountPath"]: mount["name"] for mount in pod["containers"][0]["volumeMounts"]}
    assert mounted == {"/etc/mailflow-agent": "config", "/var/lib/mailflow-agent": "state"}


def test_the_network_lets_through_what_mail_needs(objects: list[Any]) -> None:
    spec = one(objects, "NetworkPolicy")["spec"]
    out = {(port["protocol"], port["port"]) for rule in spec["egress"] for port in rule["ports"]}
    tcp = {("TCP", port) for port in (25, 53, 443, 465, 587, 993)}
    assert out == tcp | {("UDP", 53)}
    assert set(spec["policyTypes"]) == {"Ingress", "Egress"}
    (rule,) = spec["ingress"]
    assert rule["from"]
    assert rule["ports"] == [{"protocol": "TCP", "port": "http"}]


def test_the_configuration_is_right_and_says_where_the_page_is_and_who_may_log_in(
    objects: list[Any], tmp_path: Path
) -> None:
    shutil.copy(BASE / "config.yaml", tmp_path)
    (sources,) = (
        each["projected"]["sources"]
        for each in one(objects, "Deployment")["spec"]["template"]["spec"]["volumes"]
        if each["name"] == "config"
    )
    (web,) = (each["secret"] for each in sources if "items" in each.get("secret", {}))
    assert not web.get("optional", False)
    for item in web["items"]:  # and not the password that Prometheus has
        shutil.copy(ROOT / "deploy/compose/web-config.yml", tmp_path / item["path"])
    config = load(tmp_path / "config.yaml", override={"agent": {"listen": "0.0.0.0:16245"}})
    assert config.checks
    assert not [each for each in config.warnings if each.path.startswith("agent")]
    (endpoint,) = one(objects, "ServiceMonitor")["spec"]["endpoints"]
    login = endpoint["basicAuth"]
    keys = {web["items"][0]["key"], login["username"]["key"], login["password"]["key"]}
    assert {login["username"]["name"], login["password"]["name"]} == {web["name"]}
    manual = (ROOT / "docs/install.md").read_text(encoding="utf-8")
    (command,) = re.findall(rf"(?s)create secret generic {web['name']} .*?```", manual)
    assert set(re.findall(r"--from-(?:file|literal)=([a-z.-]+)", command)) == keys


def test_every_dashboard_goes_to_grafana_in_a_size_that_is_taken() -> None:
    whole = kustomization(GRAFANA)
    files = {name for each in whole["configMapGenerator"] for name in each["files"]}
    assert files == {f"dashboards/{path.name}" for path in (GRAFANA / "dashboards").glob("*.json")}
    assert all((GRAFANA / name).stat().st_size < MOST for name in files)
    assert whole["generatorOptions"]["labels"] == {"grafana_dashboard": "1"}
