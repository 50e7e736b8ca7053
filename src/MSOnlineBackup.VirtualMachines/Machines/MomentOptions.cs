using MSOnlineBackup.VirtualMachines.GuestAgent;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.VirtualMachines.Machines;

/// <summary>How a machine gives its disks as they are at one moment.</summary>
public sealed record MomentOptions
{
    /// <summary>The <see cref="WorkFolder"/> where nobody names one.</summary>
    public static string UsualWorkFolder => Directory.Exists("/var/tmp") ? "/var/tmp" : Path.GetTempPath();

    /// <summary>
    /// A folder for what the guest overwrites while its disks are read, with room for that, and for sockets: its path is short. QEMU's account must be able to go through it; a folder in it is given to that
    /// account where this process is root's. Empty for one of libvirt's machines: the folder that libvirt gives it, which QEMU's account can reach also where it is confined.
    /// </summary>
    public required string WorkFolder { get; init; }

    /// <summary>The socket of the guest's agent; null: the guest is not held still. Not looked at for one of libvirt's machines: libvirt knows its agent.</summary>
    public string? AgentSocket { get; init; }

    /// <summary>What holds the guest still; needed where there is an <see cref="AgentSocket"/>. Without it a machine of libvirt's is not held still.</summary>
    public IGuestFreezer? Freezer { get; init; }

    /// <summary>How long the agent may take.</summary>
    public FreezeLimits FreezeLimits { get; init; } = new();

    /// <summary>Whether the agent runs scripts in the guest that bring its programs into order (<c>qemu-ga -F</c>). It does not say so itself; what it says is whether they have failed.</summary>
    public bool GuestHasHooks { get; init; }

    /// <summary>Whether there is no backup where the guest cannot be held still.</summary>
    public bool RequiresFreeze { get; init; }

    /// <summary>What the machines of a group wait at for each other; null: the machine has a moment of its own. Where it comes to nothing there is a moment all the same, unless <see cref="RequiresFreeze"/>.</summary>
    public MomentBarrier? Barrier { get; init; }

    /// <summary>How long a guest's write waits for what it overwrites to be kept. Then the backup fails, and the guest goes on.</summary>
    public TimeSpan WriteDelay { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long QEMU may take to give bytes of a disk.</summary>
    public TimeSpan ReadPatience { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>Is told of what could not be taken out of the machine; the next backup does it.</summary>
    public Action<BackupException> Report { get; init; } = static _ => { };
}
