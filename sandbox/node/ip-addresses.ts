/** Hands out the addresses of a network one after the other; a freed one comes back only after a full round. */
export class AddressPool {
  private readonly used = new Set<number>();
  private readonly first: number;
  private readonly size: number;
  private next = 0;

  /** `network` as in `10.244.0.0/16`; its first two and its last address are never given. */
  constructor(readonly network: string) {
    const [base = '', bits = '32'] = network.split('/');
    this.first = addressNumber(base) + 2;
    this.size = 2 ** (32 - Number(bits)) - 3;
  }

  /** The length of the network prefix, e.g. 16. */
  get prefixLength(): number {
    return Number(this.network.split('/')[1]);
  }

  /** A free address. Throws when there is none. */
  take(): string {
    for (let tried = 0; tried < this.size; tried++) {
      const candidate = this.first + this.next;
      this.next = (this.next + 1) % this.size;
      if (!this.used.has(candidate)) {
        this.used.add(candidate);
        return addressText(candidate);
      }
    }
    throw new Error(`no free address in ${this.network}`);
  }

  free(address: string): void {
    this.used.delete(addressNumber(address));
  }
}

function addressNumber(address: string): number {
  return address.split('.').reduce((number, part) => number * 256 + Number(part), 0);
}

function addressText(number: number): string {
  return [24, 16, 8, 0].map((bits) => Math.floor(number / 2 ** bits) % 256).join('.');
}
