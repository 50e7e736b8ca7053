using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.VirtualMachines.Azure.Management;

/// <summary>The address of a virtual machine or a managed disk in Azure. Addresses of one thing may differ in the case of their letters.</summary>
/// <param name="Subscription">The id of the subscription.</param>
/// <param name="Group">The resource group.</param>
/// <param name="Type">What it is: <see cref="Machines"/>, <see cref="Disks"/>.</param>
/// <param name="Name">Its name.</param>
public sealed record AzureResourceId(string Subscription, string Group, string Type, string Name)
{
    /// <summary>What all addresses begin with.</summary>
    public const string Beginning = "/subscriptions/";

    /// <summary>The type of virtual machines.</summary>
    public const string Machines = "virtualMachines";

    /// <summary>The type of managed disks.</summary>
    public const string Disks = "disks";

    /// <summary>The collections of restore points.</summary>
    internal const string Collections = "restorePointCollections";

    /// <summary>Whether a text is meant as an address, by its beginning.</summary>
    public static bool IsMeant(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return text.StartsWith(Beginning, StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>Reads an address.</summary>
    /// <param name="text">The address, as the portal and <c>az vm show --query id</c> give it.</param>
    /// <param name="type">What it has to be the address of.</param>
    /// <exception cref="BackupException">ArgumentInvalid.</exception>
    public static AzureResourceId Parse(string text, string type)
    {
        ArgumentNullException.ThrowIfNull(text);
        return Find(text) is { } found && found.Type.Equals(type, StringComparison.OrdinalIgnoreCase)
            ? found with { Type = type }
            : throw new BackupException(
                BackupErrorId.ArgumentInvalid,
                $"'{text}' is not the address of {(type == Machines ? "a virtual machine" : "a managed disk")} in Azure.",
                $"Write /subscriptions/ID/resourceGroups/GROUP/providers/Microsoft.Compute/{type}/NAME, as 'az {(type == Machines ? "vm" : "disk")} show --query id' gives it.",
                text);
    }

    /// <summary>Reads an address; null where it is none of something of Compute's.</summary>
    internal static AzureResourceId? Find(string text) => text.Split('/') switch
    {
        ["", var root, { Length: > 0 } subscription, var groups, { Length: > 0 } group, var providers, var provider, { Length: > 0 } type, { Length: > 0 } name]
            when Same(root, "subscriptions") && Same(groups, "resourceGroups") && Same(providers, "providers") && Same(provider, "Microsoft.Compute")
                && new[] { subscription, group, type, name }.All(IsPlain) => new AzureResourceId(subscription, group, type, name),
        _ => null,
    };

    /// <summary>Something else of the same resource group.</summary>
    internal AzureResourceId Sibling(string type, string name) => this with { Type = type, Name = name };

    /// <summary>As it is written in requests.</summary>
    public override string ToString() => $"/subscriptions/{Subscription}/resourceGroups/{Group}/providers/Microsoft.Compute/{Type}/{Name}";

    private static bool Same(string part, string word) => part.Equals(word, StringComparison.OrdinalIgnoreCase);

    // What Azure allows in these names, and nothing that would lead elsewhere in a URL.
    private static bool IsPlain(string part) => part.Length <= 90 && part != ".." && part != "." && part.All(letter => char.IsLetterOrDigit(letter) || letter is '-' or '_' or '.' or '(' or ')');
}
