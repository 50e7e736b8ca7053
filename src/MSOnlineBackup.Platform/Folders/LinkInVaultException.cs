namespace MSOnlineBackup.Platform.Folders;

/// <summary>
/// Something that is neither an object nor a folder of the vault has the name of one: a link, a pipe, a device. It is never followed and never waited for:
/// whoever may write to the vault could have put it there to lead a more powerful account elsewhere.
/// </summary>
internal sealed class LinkInVaultException(string name) : IOException($"'{name}' is a link, or neither a file nor a folder");
