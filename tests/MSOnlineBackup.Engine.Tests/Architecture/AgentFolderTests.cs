using System.Reflection;
using MSOnlineBackup.Agent;
using MSOnlineBackup.Testing;

namespace MSOnlineBackup.Engine.Tests.Architecture;

public sealed class AgentFolderTests : FolderOrder
{
    protected override Assembly Project => typeof(BackupAgent).Assembly;

    protected override string[] Folders => ["", "Fleets", "Watching", "Health", "Reports", "Schedules", "Mounting", "Jobs", "Sinks", "Groups", "Capacity", "VaultReports", "Remote", "Access", "Contact", "Machine", "Retention", "Policies", "VirtualMachines", "Workloads", "Installation"];
}
