using System.Text.Json;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.VirtualMachines.Qmp;

/// <summary>QEMU refused a command.</summary>
internal sealed class QmpException : Exception
{
    private QmpException(string command, string kind, string message)
        : base(message) =>
        (Command, Kind) = (command, kind);

    /// <summary>The command.</summary>
    public string Command { get; }

    /// <summary>The kind of error by QEMU's name, as "GenericError" or "CommandNotFound".</summary>
    public string Kind { get; }

    /// <summary>Reads what QEMU answered.</summary>
    public static QmpException From(string command, JsonElement error) => new(command, Text(error, "class"), Text(error, "desc"));

    /// <summary>The error as it is told to people.</summary>
    /// <param name="machine">The machine.</param>
    public BackupException ToError(string machine) => new(
        BackupErrorId.VirtualMachineCommandFailed,
        $"QEMU refused '{Command}' for the virtual machine '{machine}': {Message}",
        "See to what QEMU says, and run the backup again.",
        machine,
        innerException: this);

    private static string Text(JsonElement error, string name) =>
        error.ValueKind == JsonValueKind.Object && error.TryGetProperty(name, out JsonElement text) && text.ValueKind == JsonValueKind.String ? text.GetString()! : "unknown";
}
