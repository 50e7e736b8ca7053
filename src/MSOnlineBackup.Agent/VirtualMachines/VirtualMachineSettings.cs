using System.Text.Json.Serialization;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.VirtualMachines.Addresses;

namespace MSOnlineBackup.Agent.VirtualMachines;

/// <summary>A virtual machine, as a policy names it.</summary>
/// <param name="Name">What it is called in the vault, where it is a machine of its own: 1 to 255 characters, no '/' and no '\'; case does not count.</param>
/// <param name="Addresses">How it is reached, see <see cref="MachineAddress.Parse"/>.</param>
/// <param name="AgentSocket">The absolute path of the socket of the guest's agent; null: it is not held still.</param>
/// <param name="HasHooks">Whether the agent runs scripts in the guest that bring its programs into order.</param>
/// <param name="RequiresFreeze">Whether there is no point where the guest cannot be held still.</param>
/// <param name="Disks">The names of the disks that are taken; null or empty for all.</param>
/// <param name="ExcludedDisks">The names of disks that are left out; null for none.</param>
/// <param name="WorkFolder">The absolute path of a folder with room for what the guest overwrites meanwhile; null for the usual one.</param>
/// <param name="Group">What the machines are called that are held still together; null: it stands alone.</param>
public sealed record VirtualMachineSettings(
    string Name,
    IReadOnlyList<string> Addresses,
    string? AgentSocket = null,
    bool HasHooks = false,
    bool RequiresFreeze = false,
    IReadOnlyList<string>? Disks = null,
    IReadOnlyList<string>? ExcludedDisks = null,
    string? WorkFolder = null,
    string? Group = null)
{
    private const int MostName = 255;

    /// <summary>How it is reached.</summary>
    /// <exception cref="BackupException">PolicyInvalid.</exception>
    [JsonIgnore]
    public MachineAddress Address
    {
        get
        {
            try
            {
                return MachineAddress.Parse(Addresses);
            }
            catch (BackupException e) when (e.Id == BackupErrorId.ArgumentInvalid)
            {
                throw Invalid($"The virtual machine '{Name}' cannot be reached so: {e.Message}", e.RecommendedAction);
            }
        }
    }

    /// <summary>Whether this is what it is called.</summary>
    public bool IsNamed(string name) => Name.Equals(name, StringComparison.OrdinalIgnoreCase);

    /// <summary>Refuses what no machine can have. The machine is not asked.</summary>
    /// <exception cref="BackupException">PolicyInvalid.</exception>
    public void Check()
    {
        if (string.IsNullOrWhiteSpace(Name) || Name.Length > MostName || Name.Any(letter => char.IsControl(letter) || letter is '/' or '\\'))
        {
            throw Invalid($"'{Name}' is no name for a virtual machine.", $"Use 1 to {MostName} characters, without '/' and '\\'.");
        }

        bool isRunning = Address.IsRunning;
        if (!isRunning && (AgentSocket is not null || Group is not null || HasHooks || RequiresFreeze))
        {
            throw Invalid($"The virtual machine '{Name}' is off, by its images: nobody holds it still.", "Leave out the agent, its hooks, the demand for a freeze, and the group.");
        }

        if (AgentSocket is null && (Group is not null || HasHooks || RequiresFreeze))
        {
            throw Invalid($"The virtual machine '{Name}' names no guest agent, and what holds it still is that.", "Name the socket of its agent (-AgentSocket), or leave out its hooks, the demand for a freeze, and the group.");
        }

        RequirePath("socket of the guest agent", AgentSocket);
        RequirePath("work folder", WorkFolder);
        if (Group is { } group && (string.IsNullOrWhiteSpace(group) || group.Length > MostName || group.Any(char.IsControl)))
        {
            throw Invalid($"'{group}' is no name for a group, in the virtual machine '{Name}'.", $"Use 1 to {MostName} characters.");
        }

        if ((Disks ?? []).Concat(ExcludedDisks ?? []).Any(string.IsNullOrEmpty))
        {
            throw Invalid($"A disk of the virtual machine '{Name}' has no name.", "Name disks by the ids of their drives or devices: Get-OBVirtualMachine shows them.");
        }

        if ((Disks ?? []).Intersect(ExcludedDisks ?? []).FirstOrDefault() is { } both)
        {
            throw Invalid($"The disk '{both}' of the virtual machine '{Name}' is both taken and left out.", "Choose one of the two.");
        }
    }

    private void RequirePath(string what, string? path)
    {
        if (path is not null && (!Path.IsPathFullyQualified(path) || path.AsSpan().ContainsAny('\n', '\0')))
        {
            throw Invalid($"The {what} '{path}' of the virtual machine '{Name}' is not an absolute path.", "Write it in full.");
        }
    }

    private BackupException Invalid(string message, string action) => new(BackupErrorId.PolicyInvalid, message, action, Name);
}
