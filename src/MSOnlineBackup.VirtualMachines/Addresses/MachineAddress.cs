using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.VirtualMachines.Images;
using MSOnlineBackup.VirtualMachines.Machines;
using MSOnlineBackup.VirtualMachines.Qemu;

namespace MSOnlineBackup.VirtualMachines.Addresses;

/// <summary>How a virtual machine is reached. Each way is a record of its own here; whoever has an address needs to know none of them.</summary>
public abstract record MachineAddress
{
    private MachineAddress()
    {
    }

    /// <summary>Whether the machine runs where it is reached: then it may have an agent that holds it still.</summary>
    public abstract bool IsRunning { get; }

    /// <summary>As people write it.</summary>
    public abstract string Text { get; }

    /// <summary>Reads an address.</summary>
    /// <param name="addresses"><c>qmp:</c> and the absolute path of a monitor's socket; or the absolute paths of the images of one machine that is off.</param>
    /// <exception cref="BackupException">ArgumentInvalid.</exception>
    public static MachineAddress Parse(IReadOnlyList<string> addresses)
    {
        ArgumentNullException.ThrowIfNull(addresses);
        if (addresses is [var only] && only.StartsWith(Qmp.Scheme, StringComparison.OrdinalIgnoreCase))
        {
            return new Qmp(RequirePath(only[Qmp.Scheme.Length..], only));
        }

        return addresses.Count == 0
            ? throw Invalid("No address of a virtual machine was given.", "")
            : new Off([.. addresses.Select(address => MachineImage.Of(RequirePath(address, address)))]);
    }

    /// <summary>Opens the machine.</summary>
    /// <param name="name">What it is called in the vault; null for the name that it has itself.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">VirtualMachineUnreachable, VirtualMachineBusy, VirtualMachineCommandFailed, VirtualMachineUnfit.</exception>
    public abstract Task<IVirtualMachine> OpenAsync(string? name, CancellationToken cancellationToken);

    private static string RequirePath(string path, string address) => Path.IsPathFullyQualified(path) && !path.AsSpan().ContainsAny('\n', '\0')
        ? path
        : throw Invalid($"'{address}' is no address of a virtual machine.", address);

    private static BackupException Invalid(string message, string target) => new(
        BackupErrorId.ArgumentInvalid,
        message,
        "Write qmp: and the absolute path of its monitor's socket, such as qmp:/run/vm1/qmp.sock, or the absolute paths of the images of one that is off.",
        target);

    /// <summary>A machine under QEMU that runs.</summary>
    /// <param name="Socket">The absolute path of its monitor's socket.</param>
    public sealed record Qmp(string Socket) : MachineAddress
    {
        /// <summary>How such an address begins.</summary>
        public const string Scheme = "qmp:";

        /// <inheritdoc/>
        public override bool IsRunning => true;

        /// <inheritdoc/>
        public override string Text => Scheme + Socket;

        /// <inheritdoc/>
        public override async Task<IVirtualMachine> OpenAsync(string? name, CancellationToken cancellationToken) => await QemuMachine.ConnectAsync(Socket, null, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>A machine that is off.</summary>
    /// <param name="Images">The images of its disks.</param>
    public sealed record Off(IReadOnlyList<MachineImage> Images) : MachineAddress
    {
        /// <inheritdoc/>
        public override bool IsRunning => false;

        /// <inheritdoc/>
        public override string Text => string.Join(';', Images.Select(image => image.File));

        /// <inheritdoc/>
        public override Task<IVirtualMachine> OpenAsync(string? name, CancellationToken cancellationToken) =>
            Task.FromResult<IVirtualMachine>(new OfflineMachine(name ?? throw new ArgumentNullException(nameof(name), "Images have no name of their machine."), Images));
    }
}
