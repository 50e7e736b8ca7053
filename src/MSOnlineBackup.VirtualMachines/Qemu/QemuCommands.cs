using System.Text.Json;
using System.Text.Json.Nodes;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.VirtualMachines.Changes;
using MSOnlineBackup.VirtualMachines.Qmp;

namespace MSOnlineBackup.VirtualMachines.Qemu;

/// <summary>The commands to a QEMU that backups are made of. Each throws VirtualMachineUnreachable, or VirtualMachineCommandFailed.</summary>
/// <param name="monitor">Its monitor.</param>
/// <param name="machine">What people call the machine.</param>
internal sealed class QemuCommands(IQemuMonitor monitor, string machine)
{
    private const int MostWaits = 2000;

    private static readonly TimeSpan _wait = TimeSpan.FromMilliseconds(5);

    /// <summary>What people call the machine.</summary>
    public string Machine => machine;

    /// <summary>The version of QEMU.</summary>
    public Version Version => monitor.Version;

    /// <summary>Has a command carried out.</summary>
    public async Task<JsonElement> RunAsync(string command, JsonObject? arguments, CancellationToken cancellationToken)
    {
        try
        {
            return await monitor.ExecuteAsync(command, arguments, cancellationToken).ConfigureAwait(false);
        }
        catch (QmpException e)
        {
            throw e.ToError(machine);
        }
    }

    /// <summary>All nodes, by name.</summary>
    public async Task<IReadOnlyDictionary<string, QemuNode>> ListNodesAsync(CancellationToken cancellationToken)
    {
        JsonElement nodes = await RunAsync("query-named-block-nodes", new JsonObject { ["flat"] = true }, cancellationToken).ConfigureAwait(false);
        return ((JsonElement?)nodes).Elements().Select(QemuNode.Read).OfType<QemuNode>().ToDictionary(node => node.Name, StringComparer.Ordinal);
    }

    /// <summary>Which node is below which.</summary>
    public async Task<QemuGraph> ReadGraphAsync(CancellationToken cancellationToken) =>
        QemuGraph.Read(await RunAsync("x-debug-query-block-graph", null, cancellationToken).ConfigureAwait(false));

    /// <summary>What the guest's devices have: the path of each device, the id of its drive, and the name of the node.</summary>
    public async Task<IReadOnlyList<(string Device, string Drive, string Node)>> ListDrivesAsync(CancellationToken cancellationToken)
    {
        JsonElement blocks = await RunAsync("query-block", null, cancellationToken).ConfigureAwait(false);
        return [.. ((JsonElement?)blocks).Elements()
            .Select(block => (Device: block.Text("qdev"), Drive: block.Text("device") ?? "", Node: block.Member("inserted")?.Text("node-name")))
            .Where(block => block.Device is not null && block.Node is not null)
            .Select(block => (block.Device!, block.Drive, block.Node!))];
    }

    /// <summary>A property of a device; null where it has none of this name.</summary>
    public async Task<string?> TryGetPropertyAsync(string device, string property, CancellationToken cancellationToken)
    {
        try
        {
            JsonElement value = await monitor.ExecuteAsync("qom-get", new JsonObject { ["path"] = device, ["property"] = property }, cancellationToken).ConfigureAwait(false);
            return value.ValueKind == JsonValueKind.String && value.GetString() is { Length: > 0 } text ? text : null;
        }
        catch (QmpException)
        {
            return null;
        }
    }

    /// <summary>Adds a node.</summary>
    public Task AddNodeAsync(string name, string driver, JsonObject options, CancellationToken cancellationToken)
    {
        options["node-name"] = name;
        options["driver"] = driver;
        return RunAsync("blockdev-add", options, cancellationToken);
    }

    /// <summary>Takes a node away.</summary>
    public Task DeleteNodeAsync(string name, CancellationToken cancellationToken) => RunAsync("blockdev-del", new JsonObject { ["node-name"] = name }, cancellationToken);

    /// <summary>Gives a device of the guest another node, in the midst of its work.</summary>
    public Task SetDriveAsync(string device, string node, CancellationToken cancellationToken) =>
        RunAsync("qom-set", new JsonObject { ["path"] = device, ["property"] = "drive", ["value"] = node }, cancellationToken);

    /// <summary>Has top nodes have others below them, all at one moment: meanwhile nothing is read or written.</summary>
    public Task SwitchAsync(IEnumerable<(string Top, string Below)> tops, CancellationToken cancellationToken) =>
        RunAllAsync("blockdev-reopen", "options", tops.Select(top => TopOptions(top.Top, top.Below)), cancellationToken);

    /// <summary>The options of a top node, which passes all on.</summary>
    public static JsonObject TopOptions(string top, string below) => new() { ["node-name"] = top, ["driver"] = "raw", ["discard"] = "unmap", ["file"] = below };

    /// <summary>Carries out several actions on bitmaps, all or none.</summary>
    public Task TransactionAsync(IEnumerable<JsonObject> actions, CancellationToken cancellationToken) =>
        RunAllAsync("transaction", "actions", actions, cancellationToken);

    /// <summary>An action that makes a bitmap.</summary>
    public static JsonObject AddBitmap(string node, string name, bool isPersistent = false, bool isDisabled = false) => Action("block-dirty-bitmap-add", new JsonObject
    {
        ["node"] = node, ["name"] = name, ["granularity"] = ChangeRecord.Granularity, ["persistent"] = isPersistent, ["disabled"] = isDisabled,
    });

    /// <summary>An action that adds what one bitmap has to another.</summary>
    /// <param name="node">The node with the bitmap that is added to.</param>
    /// <param name="from">The other bitmap.</param>
    /// <param name="into">The bitmap that is added to.</param>
    /// <param name="fromNode">The node with the other bitmap, which has the same size; null: the same.</param>
    public static JsonObject MergeBitmap(string node, string from, string into, string? fromNode = null) => Action("block-dirty-bitmap-merge", new JsonObject
    {
        ["node"] = node, ["target"] = into, ["bitmaps"] = new JsonArray((JsonNode)new JsonObject { ["node"] = fromNode ?? node, ["name"] = from }),
    });

    /// <summary>An action that removes a bitmap.</summary>
    public static JsonObject RemoveBitmap(string node, string name) => Action("block-dirty-bitmap-remove", new JsonObject { ["node"] = node, ["name"] = name });

    /// <summary>Has QEMU make an image, and returns when it has.</summary>
    public async Task CreateImageAsync(JsonObject options, CancellationToken cancellationToken)
    {
        await RunAsync("blockdev-create", new JsonObject { ["job-id"] = QemuNames.Job, ["options"] = options }, cancellationToken).ConfigureAwait(false);
        if (await EndJobAsync(cancellationToken).ConfigureAwait(false) is { } why)
        {
            throw new BackupException(
                BackupErrorId.VirtualMachineCommandFailed,
                $"QEMU could not make a file for what the virtual machine '{machine}' overwrites while it is backed up: {why}",
                "See that QEMU's account may write to the work folder, and that there is room.",
                machine);
        }
    }

    /// <summary>Waits until the job that makes an image is over, where there is one, and forgets it.</summary>
    /// <returns>Why it failed; null where it did not, and where there is none.</returns>
    public async Task<string?> EndJobAsync(CancellationToken cancellationToken)
    {
        for (int waits = 0; ; waits++)
        {
            JsonElement jobs = await RunAsync("query-jobs", null, cancellationToken).ConfigureAwait(false);
            JsonElement? job = ((JsonElement?)jobs).Elements().Where(job => job.Text("id") == QemuNames.Job).Cast<JsonElement?>().FirstOrDefault();
            if (job is not { } own)
            {
                return null;
            }

            if (own.Text("status") == "concluded")
            {
                await RunAsync("job-dismiss", new JsonObject { ["id"] = QemuNames.Job }, cancellationToken).ConfigureAwait(false);
                return own.Text("error");
            }

            await WaitAsync(waits, "make a file", cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>The exports of backups.</summary>
    public async Task<IReadOnlyList<string>> ListExportsAsync(CancellationToken cancellationToken)
    {
        JsonElement exports = await RunAsync("query-block-exports", null, cancellationToken).ConfigureAwait(false);
        return [.. ((JsonElement?)exports).Elements().Select(export => export.Text("id")).OfType<string>().Where(id => id.StartsWith(ChangeRecord.Prefix, StringComparison.Ordinal))];
    }

    /// <summary>Ends the server of disks, with all that it serves.</summary>
    public async Task StopServerAsync(CancellationToken cancellationToken)
    {
        foreach (string export in await ListExportsAsync(cancellationToken).ConfigureAwait(false))
        {
            await RunAsync("block-export-del", new JsonObject { ["id"] = export, ["mode"] = "hard" }, cancellationToken).ConfigureAwait(false);
        }

        await RunAsync("nbd-server-stop", null, cancellationToken).ConfigureAwait(false);
        for (int waits = 0; (await ListExportsAsync(cancellationToken).ConfigureAwait(false)).Count > 0; waits++)
        {
            await WaitAsync(waits, "stop serving disks", cancellationToken).ConfigureAwait(false);
        }
    }

    private static JsonObject Action(string type, JsonObject data) => new() { ["type"] = type, ["data"] = data };

    private async Task RunAllAsync(string command, string argument, IEnumerable<JsonObject> items, CancellationToken cancellationToken)
    {
        var array = new JsonArray();
        foreach (JsonObject item in items)
        {
            array.Add((JsonNode)item);
        }

        if (array.Count > 0)
        {
            await RunAsync(command, new JsonObject { [argument] = array }, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task WaitAsync(int waits, string what, CancellationToken cancellationToken)
    {
        if (waits >= MostWaits)
        {
            throw new BackupException(
                BackupErrorId.VirtualMachineCommandFailed, $"QEMU does not come to an end with what it was to do for the virtual machine '{machine}': {what}.", "Run the backup again.", machine, transient: true);
        }

        await Task.Delay(_wait, cancellationToken).ConfigureAwait(false);
    }
}
