using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.VirtualMachines.Images;
using MSOnlineBackup.VirtualMachines.Qmp;
using MSOnlineBackup.VirtualMachines.Sockets;

namespace MSOnlineBackup.VirtualMachines.Instant;

/// <summary>The QEMU of a machine that runs from a recovery point: it is started, or found where it runs.</summary>
internal static class InstantQemu
{
    private static readonly TimeSpan _greeting = TimeSpan.FromSeconds(30);

    // Where a server is gone, QEMU may hold all commands back for as long as it waits for that.
    private static readonly TimeSpan _answer = TimeSpan.FromMinutes(5);

    /// <summary>Connects to the machine, which is started where it does not run.</summary>
    /// <returns>Its monitor, and whether it ran already.</returns>
    /// <exception cref="BackupException">VirtualMachineProgramUnusable, VirtualMachineUnfit, VirtualMachineUnreachable, VirtualMachineBusy.</exception>
    public static async Task<(QmpClient Monitor, bool Ran)> OpenAsync(InstantRequest request, InstantFolder folder, InstantRecord record, ServedDisks? served, CancellationToken cancellationToken)
    {
        if (LocalSocket.IsListening(folder.OwnMonitor))
        {
            return (await ConnectAsync(folder, cancellationToken).ConfigureAwait(false), true);
        }

        if (OperatingSystem.IsWindows())
        {
            throw InstantErrors.Unfit(record.Name, "machines are run on Linux and macOS", "Restore its disks with 'obengine restore'.");
        }

        File.Delete(folder.OwnMonitor);
        File.Delete(folder.Monitor);
        File.Delete(folder.Screen);
        var backed = new HashSet<InstantDisk>();
        foreach ((int index, InstantDisk disk) in record.Disks.Index())
        {
            if (await PrepareAsync(folder, served, disk, index, cancellationToken).ConfigureAwait(false))
            {
                backed.Add(disk);
            }
        }

        try
        {
            await StartAsync(request, folder, record, backed.Contains, cancellationToken).ConfigureAwait(false);
        }
        catch (BackupException) when (LocalSocket.IsListening(folder.OwnMonitor))
        {
            // One that a killed process has begun to start came first.
        }

        return (await ConnectAsync(folder, cancellationToken).ConfigureAwait(false), false);
    }

    /// <summary>Whether each image has all, by its disk's place.</summary>
    public static async Task<IReadOnlyList<bool>> ReadWholeAsync(QmpClient monitor, InstantRecord record, CancellationToken cancellationToken)
    {
        JsonElement nodes = await monitor.ExecuteAsync("query-named-block-nodes", new JsonObject { ["flat"] = true }, cancellationToken).ConfigureAwait(false);
        var whole = ((JsonElement?)nodes).Elements().Where(node => node.Member("backing_file") is null).Select(node => node.Text("node-name")).OfType<string>().ToHashSet(StringComparer.Ordinal);
        return [.. record.Disks.Select((_, index) => whole.Contains(QemuStart.NodeOf(index)))];
    }

    // Whether it has not all.
    private static async Task<bool> PrepareAsync(InstantFolder folder, ServedDisks? served, InstantDisk disk, int index, CancellationToken cancellationToken)
    {
        string image = folder.ImageOf(disk);
        if (!File.Exists(image))
        {
            if (served is null || File.Exists(folder.Log))
            {
                // What the machine wrote is gone with it.
                throw new BackupException(BackupErrorId.RestoreTargetInvalid, $"The image '{image}' is gone, and what the machine wrote to it.", "Bring it back, or start the machine anew in another folder.", image);
            }

            await FreshImage.CreateAsync(image, disk.Bytes, QemuStart.BackingOf(folder.SocketOf(index)), served.ListHolesAsync(disk, cancellationToken), cancellationToken).ConfigureAwait(false);
            return true;
        }

        string said = await ImageProgram.RunAsync("qemu-img", ["info", "--output=json", "-f", "qcow2", image], image, cancellationToken).ConfigureAwait(false);
        try
        {
            using JsonDocument document = JsonDocument.Parse(said);
            return document.RootElement.Member("backing-filename") is not null;
        }
        catch (JsonException e)
        {
            throw ImageProgram.Failed("qemu-img", image, e.Message);
        }
    }

    private static async Task StartAsync(InstantRequest request, InstantFolder folder, InstantRecord record, Func<InstantDisk, bool> isBacked, CancellationToken cancellationToken)
    {
        using Process process = ImageProgram.Start(request.Program, QemuStart.Arguments(request, folder, record.Disks, isBacked));
        process.StandardInput.Close();
        Task<string> output = process.StandardOutput.ReadToEndAsync(cancellationToken);
        string error = await process.StandardError.ReadToEndAsync(cancellationToken).ConfigureAwait(false);
        await output.ConfigureAwait(false);
        await process.WaitForExitAsync(cancellationToken).ConfigureAwait(false);
        if (process.ExitCode != 0)
        {
            throw new BackupException(
                BackupErrorId.VirtualMachineProgramUnusable, $"'{request.Program}' did not start the machine '{record.Name}': {error.Trim()}", "See to what QEMU says, and run the command again.", record.Name);
        }
    }

    private static Task<QmpClient> ConnectAsync(InstantFolder folder, CancellationToken cancellationToken) => QmpClient.ConnectAsync(folder.OwnMonitor, _greeting, cancellationToken, _answer);
}
